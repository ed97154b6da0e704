package io.culvert.benchmarks.milo;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.milo.opcua.sdk.core.AccessLevel;
import org.eclipse.milo.opcua.sdk.core.Reference;
import org.eclipse.milo.opcua.sdk.server.EndpointConfig;
import org.eclipse.milo.opcua.sdk.server.ManagedNamespaceWithLifecycle;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfig;
import org.eclipse.milo.opcua.sdk.server.identity.AnonymousIdentityValidator;
import org.eclipse.milo.opcua.sdk.server.items.DataItem;
import org.eclipse.milo.opcua.sdk.server.items.MonitoredItem;
import org.eclipse.milo.opcua.sdk.server.nodes.UaFolderNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaVariableNode;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.security.DefaultCertificateManager;
import org.eclipse.milo.opcua.stack.core.security.MemoryCertificateQuarantine;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.UserTokenType;
import org.eclipse.milo.opcua.stack.core.types.structured.UserTokenPolicy;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransport;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransportConfig;

/**
 * An OPC UA server whose variables all change at once, cycle by cycle: each shows the number of the
 * cycle, so that whoever receives it can tell what is missing. It tells the monitored items by
 * itself instead of being sampled, which costs it little.
 */
public final class LoadServer extends ManagedNamespaceWithLifecycle {
  /** Namespace of the variables. */
  public static final String NAMESPACE = "urn:culvert:load";

  private final List<UaVariableNode> variables = new ArrayList<>();
  private final Set<DataItem> items = ConcurrentHashMap.newKeySet();
  private volatile DataValue value =
      new DataValue(Variant.ofDouble(0), StatusCode.GOOD, DateTime.now(), DateTime.now());

  private LoadServer(OpcUaServer server, int devices, int points) {
    super(server, NAMESPACE);
    getLifecycleManager().addStartupTask(() -> fill(devices, points));
  }

  /** Name of a device's folder below the Objects folder. */
  public static String device(int number) {
    return "d-" + number;
  }

  /** Browse name of a variable within its folder, also the id of the point. */
  public static String point(int number) {
    return "v" + number;
  }

  private void fill(int devices, int points) {
    for (int d = 1; d <= devices; d++) {
      UaFolderNode folder =
          new UaFolderNode(
              getNodeContext(),
              newNodeId(device(d)),
              newQualifiedName(device(d)),
              LocalizedText.english(device(d)));
      getNodeManager().addNode(folder);
      folder.addReference(
          new Reference(
              folder.getNodeId(), NodeIds.Organizes, NodeIds.ObjectsFolder.expanded(), false));
      for (int p = 1; p <= points; p++) {
        String id = device(d) + "/" + point(p);
        String name = point(p);
        UaVariableNode variable =
            UaVariableNode.build(
                getNodeContext(),
                builder ->
                    builder
                        .setNodeId(newNodeId(id))
                        .setBrowseName(newQualifiedName(name))
                        .setDisplayName(LocalizedText.english(name))
                        .setDataType(NodeIds.Double)
                        .setTypeDefinition(NodeIds.BaseDataVariableType)
                        .setAccessLevel(AccessLevel.READ_ONLY)
                        .setUserAccessLevel(AccessLevel.READ_ONLY)
                        .build());
        variable.setValue(value);
        getNodeManager().addNode(variable);
        folder.addOrganizes(variable);
        variables.add(variable);
      }
    }
  }

  /** Lets all variables show the next number. */
  private void turn(long cycle) {
    DateTime now = DateTime.now();
    value = new DataValue(Variant.ofDouble(cycle), StatusCode.GOOD, now, now);
    variables.forEach(variable -> variable.setValue(value));
    items.forEach(item -> item.setValue(value));
  }

  @Override
  public void onDataItemsCreated(List<DataItem> created) {
    created.forEach(item -> item.setValue(value));
    items.addAll(created);
  }

  @Override
  public void onDataItemsModified(List<DataItem> modified) {
    // Told in any case.
  }

  @Override
  public void onDataItemsDeleted(List<DataItem> deleted) {
    items.removeAll(new HashSet<>(deleted));
  }

  @Override
  public void onMonitoringModeChanged(List<MonitoredItem> changed) {
    // Told in any case.
  }

  /**
   * Runs until it is ended.
   *
   * @param args port on loopback, devices, points of each, milliseconds between cycles
   */
  public static void main(String[] args) throws Exception {
    EndpointConfig endpoint =
        EndpointConfig.newBuilder()
            .setBindAddress("127.0.0.1")
            .setBindPort(Integer.parseInt(args[0]))
            .setHostname("127.0.0.1")
            .setSecurityPolicy(SecurityPolicy.None)
            .setSecurityMode(MessageSecurityMode.None)
            .addTokenPolicies(
                new UserTokenPolicy("anonymous", UserTokenType.Anonymous, null, null, null))
            .build();
    OpcUaServer server =
        new OpcUaServer(
            OpcUaServerConfig.builder()
                .setApplicationName(LocalizedText.english("Load"))
                .setApplicationUri(NAMESPACE)
                .setProductUri(NAMESPACE)
                .setEndpoints(Set.of(endpoint))
                .setCertificateManager(
                    new DefaultCertificateManager(new MemoryCertificateQuarantine()))
                .setIdentityValidator(AnonymousIdentityValidator.INSTANCE)
                .build(),
            profile -> new OpcTcpServerTransport(OpcTcpServerTransportConfig.newBuilder().build()));
    LoadServer load = new LoadServer(server, Integer.parseInt(args[1]), Integer.parseInt(args[2]));
    load.startup();
    server.startup().get();
    System.out.println("ready");
    long interval = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(args[3]));
    long next = System.nanoTime();
    for (long cycle = 1; ; cycle++) {
      load.turn(cycle);
      next += interval;
      for (long left = next - System.nanoTime(); left > 0; left = next - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
    }
  }
}
