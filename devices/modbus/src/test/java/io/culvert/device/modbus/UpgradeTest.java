package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.testkit.RecordingSink;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A driver that was used and deactivated can be unloaded, with what it embeds: neither Netty, which
 * other bundles share, nor any thread holds on to it.
 */
@Timeout(60)
class UpgradeTest {

  /** Holds the bundle's own classes, as a framework would. */
  private static final class BundleLoader extends ClassLoader {
    BundleLoader() {
      super(UpgradeTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      boolean own = name.startsWith("io.culvert.device.modbus.");
      if (!own) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        return loaded != null ? loaded : define(name);
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  @Test
  void leavesNoClassLoaderBehind() throws Exception {
    List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
    try (HostileSlave slave = new HostileSlave()) {
      for (int upgrade = 0; upgrade < 10; upgrade++) {
        loaders.add(use(slave));
      }
    }
    await()
        .pollInSameThread()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> {
              System.gc();
              assertThat(loaders).allMatch(loader -> loader.refersTo(null));
            });
  }

  private static WeakReference<ClassLoader> use(HostileSlave slave) throws Exception {
    ClassLoader loader = new BundleLoader();
    Class<?> type = loader.loadClass("io.culvert.device.modbus.ModbusTcpDriver");
    assertThat(type.getClassLoader()).isSameAs(loader);
    Driver driver = (Driver) type.getConstructor().newInstance();
    URI endpoint = URI.create("modbus-tcp://localhost:" + slave.port());
    Connection connection =
        Talk.answer(driver.open(new Device("d", "p", endpoint, Map.of()), new RecordingSink()));
    Readable.Plan plan =
        ((Readable) connection).prepare(List.of(Talk.point("holding:1", DataType.UINT16)));
    assertThat(Talk.answer(plan.read()).get(0).value())
        .isEqualTo(Value.of((long) HostileSlave.register(1)));
    connection.close();
    Method deactivate = type.getDeclaredMethod("deactivate");
    deactivate.setAccessible(true);
    deactivate.invoke(driver);
    return new WeakReference<>(loader);
  }
}
