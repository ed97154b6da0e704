package io.culvert.buffer;

/**
 * How bytes go to disk: so that damage is noticed, and, if they are encrypted, so that nobody
 * without the key reads or changes them. Safe in any thread.
 */
interface Seal {
  /** A checksum (CRC-32C) and nothing else. */
  Seal PLAIN =
      new Seal() {
        @Override
        public byte[] close(byte[] content, long place) {
          return RowCodec.seal(content);
        }

        @Override
        public byte[] open(byte[] sealed, long place) throws DamagedException {
          return RowCodec.unseal(sealed);
        }
      };

  /**
   * @param place where the bytes will stand; they can't be opened at another one, if the seal is
   *     more than a checksum
   */
  byte[] close(byte[] content, long place);

  /** Undoes {@link #close}. */
  byte[] open(byte[] sealed, long place) throws DamagedException;
}
