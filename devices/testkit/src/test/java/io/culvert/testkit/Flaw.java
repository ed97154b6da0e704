package io.culvert.testkit;

import java.util.List;

/**
 * What a {@link TallyDriver} does wrong: one rule each, and the case of the contract that must find
 * it; where no driver can break the rule without another, several.
 */
enum Flaw {
  VALIDATE_THROWS(
      "validate\\(\\).* threw .*NumberFormatException", "tellsWhatIsWrongInsteadOfThrowing"),
  VALIDATE_SWALLOWS(
      "problems that validate\\(\\) finds with a setting", "tellsWhatIsWrongInsteadOfThrowing"),
  VALIDATE_CONNECTS(
      "nobody should look", "validatesAndNamesLanesFromManyThreadsWithoutTouchingTheDevice"),
  FUSSY(
      "all valid",
      "findsNothingWrongWithAValidDevice",
      "validatesAndNamesLanesFromManyThreadsWithoutTouchingTheDevice"),
  LANE_FOR_ALL("lane of .* differs from that of another", "aSilentDeviceHoldsUpNoneOfAnotherLane"),
  CAN_WRITE_MORE("Peer.writes\\(\\) names points", "connectionsCanWhatThePeerOffersAndNothingElse"),
  MISREADS("what was read", "readsWhatTheDeviceHolds", "*"),
  NULL_SAMPLE("what was read", "anAnswerHasOneSampleForEachPointAndNoOther"),
  SAMPLE_TWICE("each point of the plan once", "anAnswerHasOneSampleForEachPointAndNoOther"),
  SAMPLE_OF_ANOTHER("each point of the plan once", "anAnswerHasOneSampleForEachPointAndNoOther"),
  REFUSAL_FAILS(
      "points some of which are refused failed", "aPointThatIsRefusedIsDataAndHarmsNoNeighbour"),
  REFUSAL_IS_ZERO("which the device refuses: bad", "aPointThatIsRefusedIsDataAndHarmsNoNeighbour"),
  WRITES_NOTHING(
      "what is read after .* was written",
      "writesAndReadsBack",
      "nothingOfACancelledExchangeAppearsInTheNext"),
  WRITE_UNCERTAIN(
      "verdict on the write", "writesAndReadsBack", "nothingOfACancelledExchangeAppearsInTheNext"),
  FIGURES_SHRINK("the figure requests, which grows with an exchange", "figuresOnlyGrow"),
  READ_BLOCKS(
      "read\\(\\) has not returned after .* no call may block",
      "aCallReturnsAtOnceThoughNobodyAnswers",
      "*"),
  ANSWERS_IN_TURN(
      "what was read of .* after a reading of .* was cancelled",
      "nothingOfACancelledExchangeAppearsInTheNext"),
  CANCEL_ENDS_IT(
      "failed",
      "aCancelledExchangeLeavesTheConnectionUsable",
      "nothingOfACancelledExchangeAppearsInTheNext",
      "figuresOnlyGrow"),
  CLOSE_FORGETS_PENDING(
      "pending when the connection was closed must fail",
      "closingFromAnotherThreadEndsWhatIsPending",
      "aHistoryThatIsPendingEndsWithItsConnection"),
  CLOSE_BLOCKS(
      "close\\(\\).* has not returned after",
      "closingFromAnotherThreadEndsWhatIsPending",
      "closingLeavesNoSocketBehind",
      "aHistoryThatIsPendingEndsWithItsConnection"),
  CLOSE_TWICE_THROWS(
      "close\\(\\), called a second time, threw",
      "closingTwiceIsHarmlessAndWhatComesAfterFails",
      "closingFromSeveralThreadsAtOnceIsHarmless"),
  CLOSE_IN_COMPLETION_THROWS(
      "follows the completion of an exchange, failed", "closingWithinACompletionIsHarmless"),
  CLOSES_COLLIDE(
      "close\\(\\) from several threads at once failed",
      "closingFromSeveralThreadsAtOnceIsHarmless"),
  LOST_IS_DATA("pending when the device went away must fail", "aLinkThatIsLostIsAnException"),
  ABSENT_WITHOUT_WORDS("people read it", "anAbsentDeviceFailsToOpenOrToAnswer"),
  NEVER_AGAIN(
      "open\\(\\) of .* failed",
      "aDeviceThatReturnsIsReached",
      "aLinkThatIsLostIsToldToTheSink",
      "aSubscriptionIsCompleteSinceWhenItSays"),
  DEACTIVATION_FORGETS(
      "when the driver was deactivated must fail",
      "deactivationEndsWhatIsOpen",
      "deactivationLeavesNothingBehind"),
  LEAVES_SOCKET("a TCP socket from port .* to port", "closingLeavesNoSocketBehind"),
  LEAVES_THREAD("the thread tally-forgotten, which stands", "deactivationLeavesNothingBehind"),
  LEAVES_PIPE("Left behind after .* pipe", "deactivationLeavesNothingBehind"),
  ONE_FOR_ALL("an exchange with .* was not answered", "aSilentDeviceHoldsUpNoneOfAnotherLane"),
  MIXES_UNITS("what was read", "devicesOfOneLaneTakeTurns"),
  BROWSES_ON("one at most", "browsingKeepsItsBounds"),
  BROWSES_TOP_ONLY("which an earlier one found, failed", "browsingKeepsItsBounds"),
  BROWSES_ANYWHERE("a place that it never told", "browsingKeepsItsBounds"),
  KEEPS_SUBSCRIPTION(
      "the second subscription doesn't name", "anotherSubscriptionTakesThePlaceOfTheFirst"),
  REFUSAL_TOLD_TWICE("which is refused: one, and bad", "aPointThatIsRefusedIsToldOnce"),
  REFUSAL_UNTOLD(
      "a sample of bad quality of the point .* did not come", "aPointThatIsRefusedIsToldOnce"),
  HEARS_AFTER_CLOSE(
      "sink of a connection that was closed",
      "nothingIsHeardAfterClose",
      "closingLeavesNoSocketBehind"),
  SINK_FAILURE_DEAFENS("did not come", "aSinkThatFailsOrIsSlowIsSurvived"),
  LOSS_UNTOLD(
      "lost\\(\\) of the sink did not come",
      "aLinkThatIsLostIsToldToTheSink",
      "aSubscriptionIsCompleteSinceWhenItSays"),
  COMPLETE_UNTOLD(
      "has kept the subscription: before it was away", "aSubscriptionIsCompleteSinceWhenItSays"),
  KEPT_IS_DROPPED("did not come", "aSubscriptionIsCompleteSinceWhenItSays"),
  COMPLETE_FROM_THE_START(
      "after the first subscription: null", "aSubscriptionIsCompleteSinceWhenItSays"),
  COMPLETE_THOUGH_FORGOTTEN(
      "has forgotten the subscription: null", "aSubscriptionIsCompleteSinceWhenItSays"),
  HISTORY_LACKS_ITS_END("what the device kept of", "historyIsWholeAndWithinItsSpan"),
  HISTORY_BEGINS_EARLIER("what the device kept of", "historyIsWholeAndWithinItsSpan"),
  HISTORY_GOES_BACK("what the device kept of", "historyIsWholeAndWithinItsSpan"),
  HISTORY_OF_ALL("points without a history", "historyIsWholeAndWithinItsSpan"),
  HISTORY_HAS_NO_END("pages of a history that has an end", "historyIsWholeAndWithinItsSpan"),
  PAGE_GIVEN_ONCE("the first page, asked for again", "aPageOfHistoryMayBeAskedForAgain"),
  HISTORY_HANGS(
      "a history that was pending when the connection was closed must fail",
      "aHistoryThatIsPendingEndsWithItsConnection"),
  CANT_REMEMBER("as Peer.keeps\\(\\)", "connectionsCanWhatThePeerOffersAndNothingElse"),
  WHOLE_OR_NOTHING("byte by byte", "aHostileAnswerHarmsNoMoreThanItsExchange"),
  TRUSTS("value of .* given as good", "aHostileAnswerHarmsNoMoreThanItsExchange"),
  HOARDS("bytes held after .* at most .* may be kept", "aHostileAnswerHarmsNoMoreThanItsExchange"),
  DIES("threads that died of an exception", "aHostileAnswerHarmsNoMoreThanItsExchange");

  /** The case that takes longest; only these flaws have to do with it. */
  static final String HOSTILE = "aHostileAnswerHarmsNoMoreThanItsExchange";

  private final String message;
  private final List<String> found;

  /**
   * @param message a pattern that a message of the first case has
   * @param found the cases that fail; {@code *} for whatever else
   */
  Flaw(String message, String... found) {
    this.message = message;
    this.found = List.of(found);
  }

  String message() {
    return message;
  }

  List<String> found() {
    return found;
  }
}
