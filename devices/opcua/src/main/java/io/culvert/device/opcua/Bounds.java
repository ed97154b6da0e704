package io.culvert.device.opcua;

import io.netty.buffer.ByteBuf;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.util.List;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.ServerTable;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaSerializationException;
import org.eclipse.milo.opcua.stack.core.channel.EncodingLimits;
import org.eclipse.milo.opcua.stack.core.encoding.DataTypeCodec;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingManager;
import org.eclipse.milo.opcua.stack.core.encoding.UaDecoder;
import org.eclipse.milo.opcua.stack.core.encoding.UaEncoder;
import org.eclipse.milo.opcua.stack.core.encoding.binary.OpcUaBinaryDecoder;
import org.eclipse.milo.opcua.stack.core.security.SecurityAlgorithm;
import org.eclipse.milo.opcua.stack.core.types.DataTypeDictionary;
import org.eclipse.milo.opcua.stack.core.types.DataTypeManager;
import org.eclipse.milo.opcua.stack.core.types.UaStructuredType;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DiagnosticInfo;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExpandedNodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.Matrix;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.structured.CallResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateSessionResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.DataChangeNotification;
import org.eclipse.milo.opcua.stack.core.types.structured.EventNotificationList;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryData;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryModifiedData;
import org.eclipse.milo.opcua.stack.core.types.structured.OpenSecureChannelResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.SignatureData;

/**
 * What it may cost to decode what a server sends (OPC 10000-6, 5.2). Milo holds each length against
 * the greatest message only, and some against nothing: a few bytes could so have it ask for all
 * memory, which ends the gateway. With these bounds a message takes as many elements as it has
 * bytes, and no more.
 *
 * <p>Immutable, but for the rate of new keys. Safe in any thread; never blocks.
 */
final class Bounds {
  /** The longest message, and into how many pieces a server may cut it. */
  private static final int MESSAGE = 2 << 20;

  private static final int CHUNKS = 512;

  /** How deep values may stand within values. */
  private static final int DEPTH = 16;

  static final EncodingLimits LIMITS =
      new EncodingLimits(EncodingLimits.DEFAULT_MAX_CHUNK_SIZE, CHUNKS, MESSAGE, DEPTH);

  /** The shortest life of a channel's keys that is no attack: Milo renews them without a pause. */
  private static final long SHORTEST_LIFE_MILLIS = 1_000;

  private Bounds() {}

  /** Has a client decode within the bounds; its limits are {@link #LIMITS}. */
  static void on(OpcUaClient client) {
    DataTypeManager types = client.getStaticDataTypeManager();
    for (ExpandedNodeId type :
        List.of(
            ReadResponse.TYPE_ID,
            CallResponse.TYPE_ID,
            DataChangeNotification.TYPE_ID,
            EventNotificationList.TYPE_ID,
            HistoryData.TYPE_ID,
            HistoryModifiedData.TYPE_ID)) {
      replace(types, type, new Codec(codec(types, type)));
    }
    replace(
        types,
        OpenSecureChannelResponse.TYPE_ID,
        new KeysCodec(codec(types, OpenSecureChannelResponse.TYPE_ID)));
    replace(
        types,
        CreateSessionResponse.TYPE_ID,
        new SessionCodec(codec(types, CreateSessionResponse.TYPE_ID)));
  }

  /** The same, within the bounds. */
  static EncodingContext context(EncodingContext context) {
    return context instanceof Context ? context : new Context(context);
  }

  private static DataTypeCodec codec(DataTypeManager types, ExpandedNodeId type) {
    return types.getCodec(local(type));
  }

  static NodeId local(ExpandedNodeId type) {
    return new NodeId(0, (UInteger) type.identifier());
  }

  private static void replace(DataTypeManager types, ExpandedNodeId type, DataTypeCodec codec) {
    NodeId id = local(type);
    types.registerType(
        id,
        codec,
        types.getBinaryEncodingId(id),
        types.getXmlEncodingId(id),
        types.getJsonEncodingId(id));
  }

  private static UaSerializationException exceeded(String what) {
    return new UaSerializationException(StatusCodes.Bad_EncodingLimitsExceeded, what);
  }

  /** Decodes within the bounds. */
  private static class Codec implements DataTypeCodec {
    private final DataTypeCodec codec;

    Codec(DataTypeCodec codec) {
      this.codec = codec;
    }

    @Override
    public Class<?> getType() {
      return codec.getType();
    }

    @Override
    public UaStructuredType decode(EncodingContext context, UaDecoder decoder) {
      Decoder bounded =
          decoder instanceof Decoder known
              ? known
              : new Decoder(context, (OpcUaBinaryDecoder) decoder);
      return bounded.nested(codec, context);
    }

    @Override
    public void encode(EncodingContext context, UaEncoder encoder, UaStructuredType value) {
      codec.encode(context, encoder, value);
    }
  }

  /** Answers to the wish for new keys, which Milo heeds unasked for and sets a timer for. */
  private static final class KeysCodec extends Codec {
    /** So many at once, and one a second in the long run. */
    private static final long MOST = 20;

    private long tokens = MOST;
    private long counted = System.nanoTime();

    KeysCodec(DataTypeCodec codec) {
      super(codec);
    }

    @Override
    public UaStructuredType decode(EncodingContext context, UaDecoder decoder) {
      OpenSecureChannelResponse answer = (OpenSecureChannelResponse) super.decode(context, decoder);
      long life = answer.getSecurityToken().getRevisedLifetime().longValue();
      if (life > 0 && life < SHORTEST_LIFE_MILLIS) {
        throw exceeded("the server gives keys for " + life + " ms");
      }
      if (!mayCome()) {
        throw exceeded("the server sends new keys without end");
      }
      return answer;
    }

    private synchronized boolean mayCome() {
      long seconds = (System.nanoTime() - counted) / 1_000_000_000;
      counted += seconds * 1_000_000_000;
      tokens = Math.min(MOST, tokens + seconds);
      return tokens-- > 0;
    }
  }

  /**
   * Answers to the wish for a session. node-opcua before 2.170 gives the signature algorithm of
   * Aes256_Sha256_RsaPss a name of its own, which Milo doesn't know; what is signed, and how, is
   * right and is verified.
   */
  private static final class SessionCodec extends Codec {
    private static final String PSS = "http://www.w3.org/2001/04/xmldsig-more#rsa-pss-sha256";

    SessionCodec(DataTypeCodec codec) {
      super(codec);
    }

    @Override
    public UaStructuredType decode(EncodingContext context, UaDecoder decoder) {
      CreateSessionResponse answer = (CreateSessionResponse) super.decode(context, decoder);
      SignatureData signature = answer.getServerSignature();
      if (signature == null || !PSS.equals(signature.getAlgorithm())) {
        return answer;
      }
      return new CreateSessionResponse(
          answer.getResponseHeader(),
          answer.getSessionId(),
          answer.getAuthenticationToken(),
          answer.getRevisedSessionTimeout(),
          answer.getServerNonce(),
          answer.getServerCertificate(),
          answer.getServerEndpoints(),
          answer.getServerSoftwareCertificates(),
          new SignatureData(SecurityAlgorithm.RsaSha256Pss.getUri(), signature.getSignature()),
          answer.getMaxRequestMessageSize());
    }
  }

  /** Milo's, which counts what it is asked to make room for. */
  private static final class Decoder extends OpcUaBinaryDecoder {
    private static final Field BUFFER = buffer();

    private final ByteBuf bytes;

    /** Elements that there may still be in all: each takes a byte or more. */
    private int room;

    private int depth;

    /** Goes on where another stands. */
    Decoder(EncodingContext context, OpcUaBinaryDecoder from) {
      super(context);
      try {
        bytes = (ByteBuf) BUFFER.get(from);
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(e);
      }
      setBuffer(bytes);
      room = bytes.readableBytes();
    }

    /** Milo tells nobody which bytes it decodes. */
    private static Field buffer() {
      try {
        Field buffer = OpcUaBinaryDecoder.class.getDeclaredField("buffer");
        buffer.setAccessible(true);
        return buffer;
      } catch (NoSuchFieldException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    UaStructuredType nested(DataTypeCodec codec, EncodingContext context) {
      if (++depth > DEPTH) {
        throw exceeded("structures stand within structures, more than " + DEPTH + " deep");
      }
      try {
        return codec.decode(context, this);
      } finally {
        depth--;
      }
    }

    /** Before an array is made, whose length stands in the next four bytes or further on. */
    private void array(int at) {
      int length = bytes.getIntLE(at);
      if (length > room) {
        throw exceeded("an array of " + length + " elements in " + room + " bytes");
      }
      room -= Math.max(0, length);
    }

    /**
     * Milo makes room for as many dimensions as the server says. Here the dimensions are read
     * apart; if they don't fit the elements (5.2.2.16), these are a list.
     */
    @Override
    public Variant decodeVariant() {
      int start = bytes.readerIndex();
      int mask = bytes.getByte(start);
      if ((mask & 0x80) != 0) {
        array(start + 1);
      }
      if ((mask & 0xC0) != 0xC0) {
        return super.decodeVariant();
      }
      Variant flat;
      bytes.setByte(start, mask & ~0x40);
      try {
        flat = super.decodeVariant();
      } finally {
        bytes.setByte(start, mask);
      }
      array(bytes.readerIndex());
      int[] dimensions = new int[Math.max(0, decodeInt32())];
      long elements = 1;
      for (int i = 0; i < dimensions.length; i++) {
        dimensions[i] = decodeInt32();
        elements = dimensions[i] < 0 || elements > MESSAGE ? -1 : elements * dimensions[i];
      }
      Object array = flat.value();
      return array == null || dimensions.length < 2 || elements != Array.getLength(array)
          ? flat
          : new Variant(new Matrix(array, dimensions, OpcUaDataType.fromTypeId(mask & 0x3F)));
    }

    @Override
    public UaStructuredType[] decodeStructArray(String field, NodeId type) {
      array(bytes.readerIndex());
      return super.decodeStructArray(field, type);
    }

    @Override
    public DataValue[] decodeDataValueArray(String field) {
      array(bytes.readerIndex());
      return super.decodeDataValueArray(field);
    }

    @Override
    public Variant[] decodeVariantArray(String field) {
      array(bytes.readerIndex());
      return super.decodeVariantArray(field);
    }

    @Override
    public DiagnosticInfo[] decodeDiagnosticInfoArray(String field) {
      array(bytes.readerIndex());
      return super.decodeDiagnosticInfoArray(field);
    }

    /** Before a matrix is made, whose dimensions come next; Milo multiplies them as they are. */
    private void matrix() {
      int start = bytes.readerIndex();
      int dimensions = bytes.getIntLE(start);
      long elements = dimensions > 0 ? 1 : 0;
      for (int i = 1; i <= dimensions; i++) {
        elements *= Math.max(0, bytes.getIntLE(start + 4 * i));
        if (elements > room) {
          throw exceeded("a matrix of " + elements + " elements or more in " + room + " bytes");
        }
      }
      room -= (int) elements;
    }

    @Override
    public Matrix decodeMatrix(String field, OpcUaDataType type) {
      matrix();
      return super.decodeMatrix(field, type);
    }

    @Override
    public Matrix decodeEnumMatrix(String field) {
      matrix();
      return super.decodeEnumMatrix(field);
    }

    @Override
    public Matrix decodeStructMatrix(String field, NodeId type) {
      matrix();
      return super.decodeStructMatrix(field, type);
    }
  }

  /** Gives codecs within the bounds. */
  private record Context(EncodingContext whole) implements EncodingContext {
    @Override
    public DataTypeManager getDataTypeManager() {
      return new Types(whole.getDataTypeManager());
    }

    @Override
    public EncodingManager getEncodingManager() {
      return whole.getEncodingManager();
    }

    @Override
    public EncodingLimits getEncodingLimits() {
      return LIMITS;
    }

    @Override
    public NamespaceTable getNamespaceTable() {
      return whole.getNamespaceTable();
    }

    @Override
    public ServerTable getServerTable() {
      return whole.getServerTable();
    }
  }

  private record Types(DataTypeManager all) implements DataTypeManager {
    @Override
    public DataTypeCodec getCodec(NodeId id) {
      DataTypeCodec codec = all.getCodec(id);
      return codec == null || codec instanceof Codec ? codec : new Codec(codec);
    }

    @Override
    public void registerType(
        NodeId type, DataTypeCodec codec, NodeId binary, NodeId xml, NodeId json) {
      all.registerType(type, codec, binary, xml, json);
    }

    @Override
    public NodeId getBinaryEncodingId(NodeId type) {
      return all.getBinaryEncodingId(type);
    }

    @Override
    public NodeId getXmlEncodingId(NodeId type) {
      return all.getXmlEncodingId(type);
    }

    @Override
    public NodeId getJsonEncodingId(NodeId type) {
      return all.getJsonEncodingId(type);
    }

    @Override
    public DataTypeDictionary getTypeDictionary(String uri) {
      return all.getTypeDictionary(uri);
    }

    @Override
    public void registerTypeDictionary(DataTypeDictionary dictionary) {
      all.registerTypeDictionary(dictionary);
    }
  }
}
