package io.culvert.plugins.hosting;

import io.culvert.api.southbound.Driver;
import java.util.ArrayList;
import java.util.List;
import org.osgi.framework.ServiceReference;

/**
 * What a driver in a process of its own says of itself.
 *
 * @param schemes {@link Driver#SCHEME}
 * @param matchers {@link Driver#MATCHER}
 */
record Announced(List<String> schemes, List<String> matchers) {
  Announced {
    schemes = List.copyOf(schemes);
    matchers = List.copyOf(matchers);
  }

  static Announced of(ServiceReference<Driver> reference) {
    return new Announced(
        strings(reference.getProperty(Driver.SCHEME)),
        strings(reference.getProperty(Driver.MATCHER)));
  }

  /** OSGi's {@code String+}. */
  private static List<String> strings(Object property) {
    List<String> strings = new ArrayList<>();
    if (property instanceof Object[] array) {
      for (Object one : array) {
        strings.add(one.toString());
      }
    } else if (property instanceof Iterable<?> all) {
      all.forEach(one -> strings.add(one.toString()));
    } else if (property != null) {
      strings.add(property.toString());
    }
    return strings;
  }

  void write(Cbor.Writer out) {
    Codec.list(out, schemes, Cbor.Writer::text);
    Codec.list(out, matchers, Cbor.Writer::text);
  }

  static Announced read(Cbor.Reader in) throws Cbor.Malformed {
    return new Announced(Codec.list(in, Cbor.Reader::text), Codec.list(in, Cbor.Reader::text));
  }

  /** The same with some of the schemes. */
  Announced with(List<String> some) {
    return new Announced(some, matchers);
  }
}
