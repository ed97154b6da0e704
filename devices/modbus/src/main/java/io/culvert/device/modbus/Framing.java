package io.culvert.device.modbus;

import java.nio.ByteBuffer;

/**
 * How PDUs are put on a wire, and found again among what comes from it. Holds one frame at most,
 * whatever comes. Not for several threads.
 */
interface Framing {

  /** Hears what was found; may say at once what is {@linkplain #expect expected} next. */
  interface Receiver {
    /**
     * A whole frame, with the right check sum if there is one.
     *
     * @param transaction 0 to 65535; 0 if the framing doesn't number
     * @param unit 0 to 255
     * @param pdu 1 to 253 bytes, the receiver's to keep
     */
    void frame(int transaction, int unit, byte[] pdu);

    /** Something that began like the answer expected had a wrong check sum, or broke off. */
    void damaged();

    /** Bytes that belong to no frame. */
    void noise(int bytes);
  }

  /**
   * Whether an answer bears the number of its request, so that several requests may be under way;
   * else one.
   */
  boolean numbered();

  /** A frame to send. */
  byte[] frame(int transaction, int unit, byte[] pdu);

  /**
   * How long an answer's frame may be, in characters on a serial line, for a PDU of this length.
   */
  int characters(int pdu);

  /**
   * What is awaited from now on; what was held before it was sent is noise.
   *
   * @param request PDU; {@code null} if nothing is awaited any more
   */
  void expect(int unit, byte[] request);

  /**
   * Takes all that came, and tells the receiver what it finds in it.
   *
   * @throws GarbledException if no frame can be found ever again; only a new connection helps
   */
  void decode(ByteBuffer in) throws GarbledException;

  /** Whether there is something to tell as soon as the line falls silent. */
  boolean settlesBySilence();

  /** Nothing more comes of what is held. */
  void silence();

  /** Whether the beginning of an awaited frame has come in and its end hasn't. */
  boolean midFrame();

  /** Forgets everything: a new connection. */
  void reset();
}
