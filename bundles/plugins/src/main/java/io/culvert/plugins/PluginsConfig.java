package io.culvert.plugins;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The section {@code plugins} of the site document. */
@ObjectClassDefinition(
    id = PluginsComponent.PID,
    name = "Plug-ins",
    description = "Which device bundles are taken, and how they run.")
@interface PluginsConfig {

  @AttributeDefinition(
      name = "Allow unsigned",
      description =
          "Whether a plug-in is taken that nobody signed. For development only: whoever can write"
              + " into plugins/ can then run anything on this gateway.")
  boolean allowUnsigned() default false;

  @AttributeDefinition(
      name = "Hosted plug-ins",
      description =
          "Symbolic names of plug-ins that run in a process of their own each, so that a spin, a"
              + " full heap or a native crash harms nothing else. Plug-ins with native code always"
              + " do.")
  String[] hosted() default {};

  @AttributeDefinition(
      name = "Hosted signers",
      description =
          "Names on the trust list (etc/trust/<name>.pem) whose plug-ins run in a process of their"
              + " own each.")
  String[] hostedSigners() default {};

  @AttributeDefinition(
      name = "Memory of a hosted plug-in",
      description = "MiB of heap (-Xmx) that the process of each hosted plug-in may use.",
      min = "16",
      max = "65536")
  int hostedMemory() default 64;

  @AttributeDefinition(
      name = "Time to prove itself",
      description =
          "Seconds within which, after a plug-in was installed or upgraded, every device that was"
              + " good before must be good again; otherwise the one before comes back.",
      min = "1",
      max = "3600")
  int probeSeconds() default 60;
}
