package io.culvert.shell;

import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Drivers;
import io.culvert.api.service.Generations;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Plugins;
import io.culvert.api.service.Query;
import io.culvert.api.service.Scan;

/**
 * What the shell asks; each may be {@code null}, for a shell that works while something else
 * doesn't is when it is needed most.
 */
record Services(
    Monitor monitor,
    Generations generations,
    Buffer buffer,
    Query query,
    Commands commands,
    Scan scan,
    Plugins plugins,
    Drivers drivers) {

  /** The service, or a failure that names it. */
  static <T> T need(T service, String name) throws CommandFailed {
    if (service == null) {
      throw new CommandFailed(
          CommandFailed.FAILED, name + " doesn't run in this gateway; see data/log for why");
    }
    return service;
  }
}
