package io.culvert.api.service;

import io.culvert.api.southbound.Browsable;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** The scan service: finds what is there. It proposes; only the site document makes a device. */
@ProviderType
public interface Scan {

  /**
   * Looks around behind an endpoint with the driver of its scheme, in turn with the polling of the
   * same lane.
   *
   * @param endpoint URL of a device or line; or the id of a device of the site, for its endpoint
   *     with its settings: what it is asked with may need them, a password say
   * @param from an address found earlier, or {@code ""} for the top
   * @param limit at most so many, 1 or more
   * @return fails if there is no such device, no driver serves the scheme, it can't browse, or
   *     nothing answers
   */
  CompletionStage<List<Browsable.Found>> scan(String endpoint, String from, int limit);
}
