package io.culvert.plugins.hosting;

import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Subscribable;
import io.culvert.api.southbound.Writable;
import java.util.ArrayList;
import java.util.List;

/** What a connection can do, as a set of bits. */
final class Abilities {
  private static final List<Class<? extends Connection>> ALL =
      List.of(
          Readable.class,
          Subscribable.class,
          Writable.class,
          Browsable.class,
          Diagnosed.class,
          Continuous.class,
          Historical.class);

  /** The largest set. */
  static final int MOST = (1 << ALL.size()) - 1;

  private Abilities() {}

  static int of(Connection connection) {
    int bits = 0;
    for (int i = 0; i < ALL.size(); i++) {
      bits |= ALL.get(i).isInstance(connection) ? 1 << i : 0;
    }
    return bits;
  }

  /** Always with {@link Connection} itself. */
  static Class<?>[] interfaces(int bits) {
    List<Class<?>> interfaces = new ArrayList<>(List.of(Connection.class));
    for (int i = 0; i < ALL.size(); i++) {
      if ((bits & 1 << i) != 0) {
        interfaces.add(ALL.get(i));
      }
    }
    return interfaces.toArray(Class<?>[]::new);
  }
}
