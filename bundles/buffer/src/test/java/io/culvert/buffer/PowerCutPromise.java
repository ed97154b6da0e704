package io.culvert.buffer;

import io.culvert.buffer.PowerCutRecord.Op;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What the buffer had promised when the power went, from the marks of a {@link PowerCutVictim}. */
final class PowerCutPromise {
  final long[] offered = new long[Truth.STREAMS.size()];
  final long[] accepted = new long[Truth.STREAMS.size()];

  /** By platform, what it has got of each stream. */
  final Map<String, BitSet[]> received = platforms();

  /** What of it must not come again: the state of delivery that has it is durable. */
  Map<String, BitSet[]> settled = platforms();

  int gapsOffered;
  final BitSet gaps = new BitSet();

  private Map<String, BitSet[]> confirmed = platforms();
  private Map<String, BitSet[]> atLastSave = platforms();
  private final Set<Integer> slots = new HashSet<>();
  private int marks;

  private static Map<String, BitSet[]> platforms() {
    Map<String, BitSet[]> all = new TreeMap<>();
    for (String platform : PowerCutVictim.PLATFORMS) {
      BitSet[] streams = new BitSet[Truth.STREAMS.size()];
      for (int i = 0; i < streams.length; i++) {
        streams[i] = new BitSet();
      }
      all.put(platform, streams);
    }
    return all;
  }

  private static Map<String, BitSet[]> copy(Map<String, BitSet[]> of) {
    Map<String, BitSet[]> copy = platforms();
    of.forEach(
        (platform, streams) -> {
          for (int i = 0; i < streams.length; i++) {
            copy.get(platform)[i].or(streams[i]);
          }
        });
    return copy;
  }

  /** As it is now. */
  PowerCutPromise copy() {
    PowerCutPromise copy = new PowerCutPromise();
    System.arraycopy(offered, 0, copy.offered, 0, offered.length);
    System.arraycopy(accepted, 0, copy.accepted, 0, accepted.length);
    copy.received.putAll(copy(received));
    copy.settled = copy(settled);
    copy.gapsOffered = gapsOffered;
    copy.gaps.or(gaps);
    return copy;
  }

  /** Number of marks so far: with more of them, the same disk has more to hold. */
  int marks() {
    return marks;
  }

  void apply(Op op, Map<Integer, String> names) {
    String name = names.getOrDefault(op.file(), "");
    if (op.kind() == 'M') {
      marks++;
      mark(op.text().strip());
    } else if (op.kind() == 'S' && name.startsWith("delivery.")) {
      // States are written one after the other: what was confirmed when the one before was synced
      // is in this one. What was confirmed since may have come too late for it. The name of a new
      // file is not durable yet.
      if (!slots.add(op.file())) {
        settled = atLastSave;
      }
      atLastSave = copy(confirmed);
    }
  }

  private void mark(String line) {
    String[] words = line.split(" ");
    switch (words[0]) {
      case "o" -> numbers(words, 1, offered);
      case "a" -> numbers(words, 1, accepted);
      case "r" -> {
        for (int i = 2; i < words.length; i++) {
          String[] number = words[i].split(":");
          received.get(words[1])[Integer.parseInt(number[0])].set(Integer.parseInt(number[1]));
        }
      }
      case "q" -> confirmed = copy(received);
      // What was received since may not have been answered for when it was closed.
      case "c" -> settled = copy(confirmed);
      case "h" -> gapsOffered = Integer.parseInt(words[1]);
      case "g" -> gaps.set(Integer.parseInt(words[1]));
      default -> throw new IllegalArgumentException(line);
    }
  }

  private static void numbers(String[] words, int from, long[] of) {
    for (int i = from; i < words.length; i++) {
      String[] number = words[i].split(":");
      int stream = Integer.parseInt(number[0]);
      of[stream] = Math.max(of[stream], Long.parseLong(number[1]));
    }
  }
}
