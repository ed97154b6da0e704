package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.lang.reflect.Field;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Writes where there is no memory, as native code with a mistake does. */
public final class Crashes extends EvilDriver {
  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) throws Throwable {
    // Not by an import of its package: whatever the framework exports, the JDK has it.
    Class<?> type = ClassLoader.getSystemClassLoader().loadClass("sun.misc.Unsafe");
    Field instance = type.getDeclaredField("theUnsafe");
    instance.setAccessible(true);
    type.getMethod("putLong", long.class, long.class).invoke(instance.get(null), 8L, 1L);
    return super.poll(connection, points);
  }
}
