package io.culvert.simulator.truth;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the whole street has shown. Devices are added before the first answer. */
public final class Truth {
  private final Map<String, DeviceTruth> devices = new LinkedHashMap<>();

  public void add(DeviceTruth device) {
    devices.put(device.id(), device);
  }

  /** A device, {@code null} if there is none of that id. */
  public DeviceTruth device(String id) {
    return devices.get(id);
  }

  public Collection<DeviceTruth> devices() {
    return devices.values();
  }
}
