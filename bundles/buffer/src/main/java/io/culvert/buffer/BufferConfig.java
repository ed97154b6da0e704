package io.culvert.buffer;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The section {@code buffer} of the site document. */
@ObjectClassDefinition(
    id = BufferComponent.PID,
    name = "Buffer",
    description = "Where readings are kept until the platforms have them, and how long after.")
@interface BufferConfig {

  @AttributeDefinition(
      name = "Commit interval",
      description =
          "Milliseconds after which readings are on disk and synced at the latest. A longer time"
              + " spares flash memory; a shorter one loses less in a power cut. Alarms do not"
              + " wait.",
      min = "10",
      max = "5000")
  int commitMillis() default 250;

  @AttributeDefinition(
      name = "Largest size",
      description =
          "Bytes on disk above which the oldest segment is deleted: one that every platform has"
              + " confirmed first, then others, with an entry in the loss ledger.",
      min = "4194304",
      max = "1099511627776")
  long maxBytes() default 2L << 30;

  @AttributeDefinition(
      name = "Largest age",
      description =
          "Hours after which a segment is deleted; if it was not confirmed, with an entry in the"
              + " loss ledger.",
      min = "1",
      max = "87600")
  int maxAgeHours() default 720;

  @AttributeDefinition(
      name = "Size of a segment",
      description = "Bytes after which a new segment file is begun. At most a quarter of maxBytes.",
      min = "1048576",
      max = "1073741824")
  long segmentBytes() default 64L << 20;

  @AttributeDefinition(
      name = "Time span of a segment",
      description = "Minutes after which a new segment file is begun.",
      min = "1",
      max = "10080")
  int segmentMinutes() default 360;

  @AttributeDefinition(
      name = "Rate of history",
      description =
          "Readings a second that are sent beside live ones after an outage, for each platform.",
      min = "1",
      max = "10000000")
  int historyPerSecond() default 100_000;

  @AttributeDefinition(
      name = "Bytes written a day",
      description =
          "Bytes that may be written to the disk in 24 hours of running, to spare flash memory; 0"
              + " for no bound. When they run short, commits become rarer (up to 5 s), then"
              + " telemetry is thinned out before it is stored, with an entry in the loss ledger."
              + " Alarms are always stored.",
      min = "0",
      max = "1099511627776")
  long maxWrittenBytesPerDay() default 0;

  @AttributeDefinition(
      name = "Wait for the clock",
      description =
          "Seconds that telemetry read while the system says that its clock isn't synchronised"
              + " waits on disk before it is sent, so that its times can be set right. Alarms"
              + " don't wait.",
      min = "0",
      max = "86400")
  int clockWaitSeconds() default 60;

  @AttributeDefinition(
      name = "Encryption",
      description =
          "Whether readings are encrypted on disk (AES-256-GCM) from the next start on. The key is"
              + " the entry culvert-buffer of the keystore; what was written before stays as it"
              + " is.")
  boolean encrypt() default false;

  @AttributeDefinition(
      name = "Keystore",
      description = "PKCS #12 file with the key, relative to the installation.",
      required = false)
  String keystore() default "etc/keystore.p12";

  @AttributeDefinition(
      name = "Password of the keystore",
      description = "As secret:name.",
      required = false)
  String keystorePassword() default "secret:keystore";

  @AttributeDefinition(
      name = "Gateway",
      description =
          "Id of the gateway, as whose events the entries of the loss ledger are sent. Set from"
              + " the site's gateway.id.")
  String gateway();

  @AttributeDefinition(
      name = "Platforms",
      description =
          "Ids of the platforms of the site; what is kept for another one is released. Absent:"
              + " not known. Set from the site's platforms.",
      required = false)
  String[] platforms();
}
