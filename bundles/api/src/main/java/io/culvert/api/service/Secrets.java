package io.culvert.api.service;

import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** Resolves what the site document names as {@code secret:name}. */
@ProviderType
public interface Secrets {

  /** Prefix of a reference in the site document. */
  String PREFIX = "secret:";

  /**
   * The secret of that name. Reads the disk. Never log, export or keep the answer longer than
   * needed.
   *
   * @param name without {@link #PREFIX}
   * @return empty if there is none
   */
  Optional<String> get(String name);
}
