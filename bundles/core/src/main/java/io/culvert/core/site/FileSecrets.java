package io.culvert.core.site;

import io.culvert.api.service.Secrets;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Secrets as files of {@code etc/secrets}, one a secret, for the gateway's user alone. */
@Component
public final class FileSecrets implements Secrets {
  private static final Logger LOG = LoggerFactory.getLogger(FileSecrets.class);

  /** No way out of the directory, and no hidden file. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,63}");

  private static final int MAX_BYTES = 64 << 10;
  private static final Set<PosixFilePermission> OWNER =
      EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  private final Path directory;

  @Activate
  public FileSecrets(BundleContext context) {
    this(Home.of(context).etc().resolve("secrets"));
  }

  FileSecrets(Path directory) {
    this.directory = directory;
  }

  /** Those of an installation that doesn't run. */
  public static Secrets of(Path directory) {
    return new FileSecrets(directory);
  }

  @Override
  public Optional<String> get(String name) {
    if (!NAME.matcher(name).matches()) {
      LOG.warn("A secret's name must be 1 to 64 letters, digits, hyphens, dots and underscores");
      return Optional.empty();
    }
    Path file = directory.resolve(name);
    try (InputStream in = Files.newInputStream(file)) {
      if (!forOwnerAlone(file, name)) {
        return Optional.empty();
      }
      byte[] secret = in.readNBytes(MAX_BYTES + 1);
      if (secret.length > MAX_BYTES) {
        LOG.error("etc/secrets/{}: more than {} bytes; expected one secret", name, MAX_BYTES);
        return Optional.empty();
      }
      // Editors and echo end a file with a line break, which is no part of a password.
      return Optional.of(new String(secret, StandardCharsets.UTF_8).replaceFirst("\\r?\\n\\z", ""));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.error("etc/secrets/{} can't be read: {}", name, e.toString());
      return Optional.empty();
    }
  }

  /** Takes rights from others where it can; a secret that others can read is none. */
  private static boolean forOwnerAlone(Path file, String name) throws IOException {
    Set<PosixFilePermission> present;
    try {
      present = Files.getPosixFilePermissions(file);
    } catch (UnsupportedOperationException e) {
      return true; // no such rights on this file system
    }
    if (OWNER.containsAll(present)) {
      return true;
    }
    try {
      Files.setPosixFilePermissions(file, OWNER);
    } catch (IOException e) {
      LOG.error(
          "etc/secrets/{}: others may read it; not used. Type: chmod 600 etc/secrets/{}",
          name,
          name);
      return false;
    }
    LOG.warn(
        "etc/secrets/{}: others could read it; its mode is 0600 now. Change the secret if anyone"
            + " else had access",
        name);
    return true;
  }
}
