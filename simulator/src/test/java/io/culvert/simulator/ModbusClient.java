package io.culvert.simulator;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;

/** The least of a Modbus TCP client: one exchange at a time over a plain socket. */
public final class ModbusClient implements AutoCloseable {
  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private int transaction;

  /** What came back. */
  public record Answer(int transaction, int unit, byte[] pdu) {
    public boolean exception() {
      return (pdu[0] & 0x80) != 0;
    }

    public int register(int index) {
      return (pdu[2 + 2 * index] & 0xFF) << 8 | pdu[3 + 2 * index] & 0xFF;
    }
  }

  public ModbusClient(int port) throws IOException {
    socket = new Socket("127.0.0.1", port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(5_000);
    in = new DataInputStream(socket.getInputStream());
    out = new DataOutputStream(socket.getOutputStream());
  }

  public void timeout(int millis) throws IOException {
    socket.setSoTimeout(millis);
  }

  public Answer read(int unit, int function, int address, int count) throws IOException {
    return exchange(
        unit,
        new byte[] {
          (byte) function, (byte) (address >> 8), (byte) address, (byte) (count >> 8), (byte) count
        });
  }

  public Answer exchange(int unit, byte... pdu) throws IOException {
    byte[] frame = new byte[7 + pdu.length];
    transaction++;
    frame[0] = (byte) (transaction >> 8);
    frame[1] = (byte) transaction;
    frame[5] = (byte) (pdu.length + 1);
    frame[6] = (byte) unit;
    System.arraycopy(pdu, 0, frame, 7, pdu.length);
    out.write(frame);
    out.flush();
    int id = in.readUnsignedShort();
    in.readUnsignedShort();
    int length = in.readUnsignedShort();
    int from = in.readUnsignedByte();
    byte[] answer = new byte[length - 1];
    in.readFully(answer);
    return new Answer(id, from, answer);
  }

  public int lastTransaction() {
    return transaction;
  }

  public int nextByte() throws IOException {
    return in.read();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
