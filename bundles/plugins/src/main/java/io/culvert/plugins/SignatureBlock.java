package io.culvert.plugins;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The algorithms of a signature block ({@code META-INF/*.RSA}), which the JDK keeps to itself: a
 * CMS SignedData in DER (RFC 5652, 5). Nothing is verified here.
 */
final class SignatureBlock {
  /**
   * Of one signer.
   *
   * @param digest object identifier of its digest
   * @param signature object identifier of its signature
   */
  record Algorithms(String digest, String signature) {}

  private static final int INTEGER = 0x02;
  private static final int OBJECT_IDENTIFIER = 0x06;
  private static final int SEQUENCE = 0x30;
  private static final int SET = 0x31;
  private static final int CONTEXT_0 = 0xa0;
  private static final int CONTEXT_1 = 0xa1;
  private static final String SIGNED_DATA = "1.2.840.113549.1.7.2";

  private final byte[] der;
  private int at;
  private final int end;

  private SignatureBlock(byte[] der, int at, int end) {
    this.der = der;
    this.at = at;
    this.end = end;
  }

  /**
   * @throws IOException if it isn't such a block
   */
  static List<Algorithms> read(byte[] der) throws IOException {
    SignatureBlock content = new SignatureBlock(der, 0, der.length).enter(SEQUENCE);
    String type = content.identifier();
    if (!type.equals(SIGNED_DATA)) {
      throw new IOException("no signed data, but " + type);
    }
    SignatureBlock data = content.enter(CONTEXT_0).enter(SEQUENCE);
    data.enter(INTEGER);
    data.enter(SET);
    data.enter(SEQUENCE);
    data.skip(CONTEXT_0);
    data.skip(CONTEXT_1);
    SignatureBlock signers = data.enter(SET);
    List<Algorithms> all = new ArrayList<>();
    while (signers.at < signers.end) {
      SignatureBlock signer = signers.enter(SEQUENCE);
      signer.enter(INTEGER);
      signer.enter(signer.tag());
      String digest = signer.enter(SEQUENCE).identifier();
      signer.skip(CONTEXT_0);
      all.add(new Algorithms(digest, signer.enter(SEQUENCE).identifier()));
    }
    return all;
  }

  private int tag() throws IOException {
    if (at >= end) {
      throw new IOException("it ends early");
    }
    return der[at] & 0xff;
  }

  private void skip(int tag) throws IOException {
    if (at < end && tag() == tag) {
      enter(tag);
    }
  }

  /** What is within the next element, and goes behind it. */
  private SignatureBlock enter(int tag) throws IOException {
    if (tag() != tag) {
      throw new IOException("tag " + tag() + " instead of " + tag + " at byte " + at);
    }
    int from = at + 1;
    if (from >= end) {
      throw new IOException("it ends early");
    }
    long length = der[from++] & 0xff;
    if (length >= 0x80) {
      int bytes = (int) length - 0x80;
      if (bytes == 0 || bytes > 4 || from + bytes > end) {
        throw new IOException("a length that DER doesn't have at byte " + at);
      }
      length = 0;
      for (int i = 0; i < bytes; i++) {
        length = length << 8 | der[from++] & 0xff;
      }
    }
    if (length > end - from) {
      throw new IOException("it ends early");
    }
    at = from + (int) length;
    return new SignatureBlock(der, from, at);
  }

  private String identifier() throws IOException {
    SignatureBlock arcs = enter(OBJECT_IDENTIFIER);
    StringBuilder text = new StringBuilder();
    long arc = 0;
    for (int i = arcs.at; i < arcs.end; i++) {
      arc = arc << 7 | der[i] & 0x7f;
      if (arc > Integer.MAX_VALUE) {
        throw new IOException("an object identifier with an arc that nobody has");
      }
      if ((der[i] & 0x80) == 0) {
        if (text.isEmpty()) {
          long first = Math.min(arc / 40, 2);
          text.append(first).append('.').append(arc - 40 * first);
        } else {
          text.append('.').append(arc);
        }
        arc = 0;
      }
    }
    return text.toString();
  }
}
