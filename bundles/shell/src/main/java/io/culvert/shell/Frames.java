package io.culvert.shell;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** One of a command's two outputs, cut into frames of an answer that both share. */
final class Frames extends OutputStream {
  static final int END = 0;
  static final int OUT = 1;
  static final int ERR = 2;

  private final DataOutputStream answer;
  private final int kind;
  private final byte[] pending = new byte[8192];
  private int count;

  Frames(DataOutputStream answer, int kind) {
    this.answer = answer;
    this.kind = kind;
  }

  @Override
  public void write(int b) throws IOException {
    if (count == pending.length) {
      flush();
    }
    pending[count++] = (byte) b;
  }

  @Override
  public void flush() throws IOException {
    if (count == 0) {
      return;
    }
    synchronized (answer) {
      answer.writeByte(kind);
      answer.writeInt(count);
      answer.write(pending, 0, count);
      answer.flush();
    }
    count = 0;
  }

  @Override
  public void close() throws IOException {
    flush();
  }
}
