/**
 * What the authors of device bundles test with, in test scope only. How to pass:
 *
 * <pre>
 * class LampContractTest extends DriverContract {
 *   static final Point LEVEL = new Point("level", "level", DataType.UINT16, Access.READ);
 *   …
 *   protected Driver activate() { return new LampDriver(); }
 *
 *   protected void deactivate(Driver driver) { ((LampDriver) driver).deactivate(); }
 *
 *   protected Peer peer() throws Exception {
 *     return ScriptedPeer.tcp("lamp://%s", Script.beside(getClass(), "lamp.script"))
 *         .shows(LEVEL, Value.of(7))
 *         .refuses(HOLE)
 *         .writes(SETPOINT, Value.of(1), Value.of(2));
 *   }
 * }
 * </pre>
 *
 * <p>The {@linkplain io.culvert.testkit.DriverContract contract} has a case for each rule that the
 * core relies on. Which of them run follows from what the connections of the driver can; it says so
 * if the {@link io.culvert.testkit.Peer} offers too little for that. A failure names what was
 * called, what came of it and what the rule is. The rules that a first driver breaks most often:
 *
 * <ul>
 *   <li><b>Nothing blocks.</b> {@code open}, {@code read}, {@code write} return before the answer
 *       is there. If your library can only wait, let a thread of your own wait.
 *   <li><b>Cancelled is over.</b> After {@code cancel} on the stage that you returned, the late
 *       answer must not become that of the next question: number your questions, or wait a little,
 *       or open a new connection.
 *   <li><b>Close ends everything</b>, from any thread, within a completion too, and twice: what is
 *       pending fails, the socket is gone. So does deactivation, and the last thread with it. If
 *       {@code open} is cancelled, what it opens must be closed.
 *   <li><b>Refused is data, lost is an exception.</b> A point that the device refuses is a bad
 *       sample beside the good ones of its neighbours.
 *   <li><b>Bytes are not to be trusted.</b> Answers come in pieces, with garbage, with wrong
 *       lengths, without end. None may block you, fill the memory, end a thread, or become a value
 *       if there is a check sum. A failure tells how to draw the same bytes again.
 *   <li><b>What is said to be kept is kept.</b> {@code completeSince} is a promise: what it covers
 *       is no gap any more. A history has both its ends, and says of which points there is none.
 * </ul>
 *
 * <p>{@link io.culvert.testkit.ScriptedPeer} makes a device of a text of expected bytes and
 * answers, on TCP or a serial line, for the contract and for tests of your own; {@link
 * io.culvert.testkit.RecordingSink} keeps what a device sends by itself; {@link
 * io.culvert.testkit.FakeClock} stands still until it is turned; {@link
 * io.culvert.testkit.LeakDetector} finds threads and sockets left behind by any test; {@link
 * io.culvert.testkit.SerialBus} is a line that several share. Serial lines need Debian's {@code
 * socat}. A device of another kind is a {@link io.culvert.testkit.Peer} of your own: the maker's
 * simulator, or a stack that none of you wrote, finds more than a script does.
 */
package io.culvert.testkit;
