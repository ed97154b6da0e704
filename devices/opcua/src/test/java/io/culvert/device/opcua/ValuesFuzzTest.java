package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.statistics.Statistics;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.sdk.client.typetree.LazyClientDataTypeTreeSeed;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.encoding.DefaultEncodingContext;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.Matrix;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.XmlElement;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.ULong;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;

/** Whatever a server sends is a sample, and whatever is written comes back as it was. */
class ValuesFuzzTest {

  /** A session whose server answers nothing. */
  private static final Link SILENT =
      new Link() {
        @Override
        public <T> CompletableFuture<T> ask(
            Function<OpcUaClient, ? extends CompletionStage<T>> request) {
          return CompletableFuture.failedFuture(new IOException("silent"));
        }

        @Override
        public Limits limits() {
          return Limits.untold();
        }

        @Override
        public NamespaceTable namespaces() {
          return new NamespaceTable("urn:server", "urn:plant");
        }

        @Override
        public EncodingContext encoding() {
          return DefaultEncodingContext.INSTANCE;
        }
      };

  private static final List<NodeId> ENCODINGS = encodings();

  private final Structures structures = new Structures(SILENT, new DataTypes(SILENT));

  private static List<NodeId> encodings() {
    List<NodeId> encodings = new ArrayList<>();
    LazyClientDataTypeTreeSeed.createSeedTree()
        .traverse(
            type -> {
              if (type.getBinaryEncodingId() != null) {
                encodings.add(type.getBinaryEncodingId());
              }
            });
    return encodings;
  }

  @Property(tries = 3_000, edgeCases = EdgeCasesMode.NONE)
  void anyBytesAreAStructureOrUnfit(
      @ForAll("encoding") NodeId encoding, @ForAll("body") byte[] body) {
    Map<String, Value> fields = new LinkedHashMap<>();
    boolean fit;
    try {
      structures.decode(ExtensionObject.of(ByteString.of(body), encoding), "", fields);
      fit = true;
      new Value.Struct(fields);
    } catch (Values.Unfit unfit) {
      fit = false;
      assertThat(unfit.quality().bad()).isTrue();
    }
    Statistics.collect(fit);
    Statistics.coverage(coverage -> coverage.check(true).count(count -> count > 200));
  }

  @Property(tries = 3_000, edgeCases = EdgeCasesMode.NONE)
  void anyValueIsASample(
      @ForAll("values") Object raw, @ForAll DataType type, @ForAll("statuses") long status) {
    Point point = new Point("p", "i=5", type, Access.READ);
    Sample sample =
        structures
            .values()
            .sample(
                point,
                new DataValue(
                    new Variant(raw), new StatusCode(status), new DateTime(status << 20), null));
    if (!sample.quality().bad()) {
      assertThat(sample.quality().code()).isEqualTo((int) status);
      assertThat(sample.value()).isNotNull();
      Statistics.collect("good");
      Statistics.coverage(coverage -> coverage.check("good").count(count -> count > 200));
    } else {
      assertThat(sample.value()).isNull();
    }
  }

  @Property(tries = 2_000)
  void whatIsWrittenIsReadAsItWas(@ForAll("targets") OpcUaDataType builtin, @ForAll long number)
      throws Exception {
    Raw raw = new Raw(SILENT::namespaces);
    Value written = Value.of(number);
    Object sent;
    try {
      sent = raw.of(builtin, Map.of(), written);
    } catch (Values.Unfit beyond) {
      return;
    }
    DataType type = builtin == OpcUaDataType.UInt64 ? DataType.UINT64 : DataType.INT64;
    boolean rounded = builtin == OpcUaDataType.Float && (double) (float) number != (double) number;
    if (!rounded) {
      assertThat(structures.values().value(type, sent)).isEqualTo(written);
    }
  }

  @Property(tries = 1_000)
  void textsOfNodesAndTimesAreReadAsTheyWereWritten(@ForAll("texts") Object raw) throws Exception {
    Value text = structures.values().value(DataType.TEXT, raw);
    OpcUaDataType builtin = OpcUaDataType.fromBackingClass(raw.getClass());
    try {
      assertThat(new Raw(SILENT::namespaces).of(builtin, Map.of(), text)).isEqualTo(raw);
    } catch (Values.Unfit unfit) {
      fail(text + " can't be written, though it was read: " + unfit.getMessage());
    }
  }

  @Provide
  Arbitrary<NodeId> encoding() {
    return Arbitraries.of(ENCODINGS);
  }

  @Provide
  Arbitrary<byte[]> body() {
    Arbitrary<Byte> bytes =
        Arbitraries.frequencyOf(
            Tuple.of(6, Arbitraries.just((byte) 0)),
            Tuple.of(2, Arbitraries.of((byte) 1, (byte) 2, (byte) 0x7F, (byte) -1)),
            Tuple.of(1, Arbitraries.bytes()));
    return bytes.array(byte[].class).ofMaxSize(100);
  }

  @Provide
  Arbitrary<Long> statuses() {
    return Arbitraries.of(
        0L, 0L, 0L, 0x480L, 0x40000000L, 0x40920000L, 0x80000000L, 0xC0000000L, 0xFFFFFFFFL);
  }

  @Provide
  Arbitrary<OpcUaDataType> targets() {
    return Arbitraries.of(
        OpcUaDataType.SByte,
        OpcUaDataType.Byte,
        OpcUaDataType.Int16,
        OpcUaDataType.UInt16,
        OpcUaDataType.Int32,
        OpcUaDataType.UInt32,
        OpcUaDataType.Int64,
        OpcUaDataType.UInt64,
        OpcUaDataType.Float,
        OpcUaDataType.Double,
        OpcUaDataType.StatusCode);
  }

  @Provide
  Arbitrary<Object> texts() {
    return Arbitraries.oneOf(
        Arbitraries.longs().between(1, DateTime.MAX_DATE_TIME.utcTime() - 1).map(DateTime::new),
        Combinators.combine(
                Arbitraries.integers().between(0, 2), Arbitraries.integers().between(1, 99_999))
            .as(NodeId::new),
        Combinators.combine(
                Arbitraries.integers().between(0, 2),
                Arbitraries.strings().alpha().numeric().ofMinLength(1).ofMaxLength(20))
            .as(NodeId::new),
        Combinators.combine(
                Arbitraries.integers().between(0, 2), Arbitraries.strings().alpha().ofMaxLength(9))
            .as(QualifiedName::new),
        Arbitraries.create(UUID::randomUUID));
  }

  @Provide
  Arbitrary<Object> values() {
    Arbitrary<Object> plain = plain();
    Arbitrary<Object> lists =
        Arbitraries.oneOf(
            Arbitraries.integers().array(Integer[].class).ofMaxSize(5).map(a -> a),
            Arbitraries.doubles().array(Double[].class).ofMaxSize(5).map(a -> a),
            Arbitraries.strings().injectNull(0.3).array(String[].class).ofMaxSize(5).map(a -> a),
            Arbitraries.bytes().map(UByte::valueOf).array(UByte[].class).ofMaxSize(5).map(a -> a),
            plain.map(Variant::new).injectNull(0.1).array(Variant[].class).ofMaxSize(5).map(a -> a),
            structs().array(ExtensionObject[].class).ofMaxSize(3).map(a -> a),
            Arbitraries.just(Matrix.ofInt32(new int[][] {{1, 2}, {3, 4}})),
            Arbitraries.just(new Matrix(null)),
            plain.map(raw -> new DataValue(new Variant(raw))));
    return Arbitraries.frequencyOf(Tuple.of(4, plain), Tuple.of(2, lists));
  }

  private Arbitrary<ExtensionObject> structs() {
    return Combinators.combine(body(), encoding())
        .as((body, encoding) -> ExtensionObject.of(ByteString.of(body), encoding));
  }

  private Arbitrary<Object> plain() {
    return Arbitraries.oneOf(
        Arbitraries.of(true, false),
        Arbitraries.bytes(),
        Arbitraries.bytes().map(UByte::valueOf),
        Arbitraries.shorts(),
        Arbitraries.shorts().map(UShort::valueOf),
        Arbitraries.integers(),
        Arbitraries.integers().map(UInteger::valueOf),
        Arbitraries.longs(),
        Arbitraries.longs().map(ULong::valueOf),
        Arbitraries.floats(),
        Arbitraries.doubles(),
        Arbitraries.of(Double.NaN, Double.POSITIVE_INFINITY, 0x1p63, -0x1p63),
        Arbitraries.strings().ofMaxLength(10),
        Arbitraries.longs().map(DateTime::new),
        Arbitraries.create(UUID::randomUUID),
        Arbitraries.of(ByteString.NULL_VALUE, ByteString.of(new byte[] {1})),
        Arbitraries.of(new XmlElement(null), new XmlElement("<a/>")),
        Arbitraries.integers().between(0, 9).map(index -> new NodeId(index, "x")),
        Arbitraries.integers().between(0, 9).map(index -> new NodeId(index, 5).expanded()),
        Arbitraries.longs().map(StatusCode::new),
        Arbitraries.integers().between(0, 9).map(index -> new QualifiedName(index, null)),
        Arbitraries.of(LocalizedText.NULL_VALUE, new LocalizedText("x")),
        structs());
  }
}
