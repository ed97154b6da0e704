package io.culvert.simulator.plant;

import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.uint;
import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.ushort;

import java.security.KeyPair;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.sdk.client.subscriptions.OpcUaMonitoredItem;
import org.eclipse.milo.opcua.sdk.client.subscriptions.OpcUaSubscription;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MonitoringMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodResult;
import org.eclipse.milo.opcua.stack.core.types.structured.ContentFilter;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.EventFilter;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryData;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadResult;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadRawModifiedDetails;
import org.eclipse.milo.opcua.stack.core.types.structured.SimpleAttributeOperand;
import org.eclipse.milo.opcua.stack.core.util.SelfSignedCertificateBuilder;
import org.eclipse.milo.opcua.stack.core.util.SelfSignedCertificateGenerator;

/** Milo's client, bare: nothing of the gateway. */
final class Visitor implements AutoCloseable {
  private static final String URI = "urn:culvert:test:visitor";
  private static final long PATIENCE_SECONDS = 30;

  private static final KeyPair PAIR = pair();

  private final OpcUaClient client;
  private final Queue<Heard> heard = new ConcurrentLinkedQueue<>();
  private final Queue<Variant[]> events = new ConcurrentLinkedQueue<>();

  /** A value that came. */
  record Heard(String device, String variable, DataValue value) {}

  private Visitor(OpcUaClient client) {
    this.client = client;
  }

  /** By the strongest that the server offers. */
  static Visitor come(String url, String... locales) throws Exception {
    X509Certificate certificate = certificate();
    OpcUaClient client =
        OpcUaClient.create(
            url,
            endpoints ->
                endpoints.stream()
                    .max(
                        Comparator.comparing(EndpointDescription::getSecurityMode)
                            .thenComparing(
                                e -> e.getSecurityPolicyUri().endsWith("Aes256_Sha256_RsaPss"))),
            transport -> {},
            config ->
                config
                    .setApplicationUri(URI)
                    .setKeyPair(PAIR)
                    .setCertificate(certificate)
                    .setCertificateChain(new X509Certificate[] {certificate})
                    .setSessionLocaleIds(locales)
                    .setKeepAliveInterval(uint(500))
                    .setKeepAliveTimeout(uint(1_000))
                    .setCertificateValidator((chain, uri, hosts) -> {}));
    client.connectAsync().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    return new Visitor(client);
  }

  private static KeyPair pair() {
    try {
      return SelfSignedCertificateGenerator.generateRsaKeyPair(2048);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static X509Certificate certificate() throws Exception {
    return new SelfSignedCertificateBuilder(PAIR).setApplicationUri(URI).build();
  }

  /** All that the server offers. */
  List<EndpointDescription> endpoints() {
    return client.getConfig().getDiscoveryEndpoints();
  }

  EndpointDescription endpoint() {
    return client.getConfig().getEndpoint();
  }

  Queue<Heard> heard() {
    return heard;
  }

  Queue<Variant[]> events() {
    return events;
  }

  NodeId node(String path) {
    return new NodeId(client.getNamespaceTable().getIndex(AddressSpace.URI), path);
  }

  /** Subscribes to variables of a device. */
  OpcUaSubscription subscribe(String device, List<String> variables) throws Exception {
    OpcUaSubscription subscription = new OpcUaSubscription(client, 100);
    subscription.setLifetimeAndKeepAliveCalculated(false);
    subscription.setLifetimeCount(uint(1_000));
    subscription.setMaxKeepAliveCount(uint(10));
    subscription.create();
    for (String variable : variables) {
      OpcUaMonitoredItem item =
          OpcUaMonitoredItem.newDataItem(node(device + "/" + variable), MonitoringMode.Reporting);
      item.setQueueSize(uint(500));
      item.setDataValueListener((any, value) -> heard.add(new Heard(device, variable, value)));
      subscription.addMonitoredItem(item);
    }
    subscription.synchronizeMonitoredItems();
    return subscription;
  }

  /** Subscribes to the events of a node: EventId, Time, Message, Acked, Active, ConditionId. */
  OpcUaSubscription subscribeToEvents(NodeId notifier) throws Exception {
    OpcUaSubscription subscription = new OpcUaSubscription(client, 100);
    subscription.create();
    EventFilter filter =
        new EventFilter(
            new SimpleAttributeOperand[] {
              field(NodeIds.BaseEventType, "EventId"),
              field(NodeIds.BaseEventType, "Time"),
              field(NodeIds.BaseEventType, "Message"),
              field(NodeIds.AcknowledgeableConditionType, "AckedState", "Id"),
              field(NodeIds.AlarmConditionType, "ActiveState", "Id"),
              new SimpleAttributeOperand(
                  NodeIds.ConditionType, new QualifiedName[0], AttributeId.NodeId.uid(), null)
            },
            new ContentFilter(null));
    OpcUaMonitoredItem item = OpcUaMonitoredItem.newEventItem(notifier, filter);
    item.setQueueSize(uint(500));
    item.setEventValueListener((any, fields) -> events.add(fields));
    subscription.addMonitoredItem(item);
    subscription.synchronizeMonitoredItems();
    return subscription;
  }

  private static SimpleAttributeOperand field(NodeId type, String... path) {
    QualifiedName[] names = new QualifiedName[path.length];
    for (int i = 0; i < path.length; i++) {
      names[i] = new QualifiedName(ushort(0), path[i]);
    }
    return new SimpleAttributeOperand(type, names, AttributeId.Value.uid(), null);
  }

  DataValue read(NodeId node) throws Exception {
    return client.readValues(0, TimestampsToReturn.Both, List.of(node)).get(0);
  }

  @SuppressWarnings("unchecked")
  <T> T structure(String path) throws Exception {
    ExtensionObject encoded = (ExtensionObject) read(node(path)).value().value();
    return (T) encoded.decode(client.getStaticEncodingContext());
  }

  OpcUaClient client() {
    return client;
  }

  StatusCode write(NodeId node, Object value) throws Exception {
    return client
        .writeValues(List.of(node), List.of(DataValue.valueOnly(Variant.of(value))))
        .get(0);
  }

  CallMethodResult call(NodeId object, NodeId method, Object... arguments) throws Exception {
    Variant[] in = new Variant[arguments.length];
    for (int i = 0; i < in.length; i++) {
      in[i] = Variant.of(arguments[i]);
    }
    return client.call(List.of(new CallMethodRequest(object, method, in))).getResults()[0];
  }

  CallMethodResult acknowledge(NodeId condition, ByteString event, String comment)
      throws Exception {
    return call(
        condition,
        NodeIds.AcknowledgeableConditionType_Acknowledge,
        event,
        new LocalizedText("en", comment));
  }

  /** A page of history. */
  HistoryReadResult history(NodeId node, long from, long to, int most, ByteString next)
      throws Exception {
    ReadRawModifiedDetails details =
        new ReadRawModifiedDetails(
            false,
            new DateTime(java.time.Instant.ofEpochMilli(from)),
            new DateTime(java.time.Instant.ofEpochMilli(to)),
            uint(most),
            false);
    HistoryReadResponse response =
        client.historyRead(
            details,
            TimestampsToReturn.Both,
            false,
            List.of(new HistoryReadValueId(node, null, QualifiedName.NULL_VALUE, next)));
    return response.getResults()[0];
  }

  List<DataValue> values(HistoryReadResult result) {
    ExtensionObject data = result.getHistoryData();
    HistoryData decoded = (HistoryData) data.decode(client.getStaticEncodingContext());
    return decoded.getDataValues() == null ? List.of() : List.of(decoded.getDataValues());
  }

  @Override
  public void close() throws Exception {
    client.disconnectAsync().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }
}
