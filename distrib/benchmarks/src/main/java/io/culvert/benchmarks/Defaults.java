package io.culvert.benchmarks;

import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;

/** Configuration as a site has it that says little: the defaults of the annotation. */
public final class Defaults {
  private Defaults() {}

  /**
   * @param type an annotation whose members have defaults
   * @param others by name, members that have none or are to have another value
   */
  public static <T> T of(Class<T> type, Map<String, Object> others) {
    Map<String, Object> values = new HashMap<>();
    for (var member : type.getDeclaredMethods()) {
      values.put(member.getName(), member.getDefaultValue());
    }
    values.putAll(others);
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> values.get(method.getName())));
  }
}
