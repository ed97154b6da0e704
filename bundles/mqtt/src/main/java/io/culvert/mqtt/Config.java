package io.culvert.mqtt;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.AttributeType;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** One platform of the site document with scheme {@code mqtt} or {@code mqtts}. */
@ObjectClassDefinition(
    id = Config.PID,
    name = "Platform over MQTT",
    description = "Forwards readings to a platform by MQTT 3.1.1 and takes its commands.")
@interface Config {
  String PID = "io.culvert.mqtt";

  @AttributeDefinition(
      name = "Id",
      description = "Name of the platform on this gateway; delivery state is kept under it.")
  String id();

  @AttributeDefinition(name = "Gateway", description = "The gateway's id at the platform.")
  String gateway();

  @AttributeDefinition(
      name = "URL",
      description = "mqtt://host:port (1883) or, with TLS, mqtts://host:port (8883).")
  String url();

  @AttributeDefinition(
      name = "Dialect",
      description = "How the platform wants readings and commands written.",
      required = false,
      options = @Option(label = "Huawei IoTDA, a gateway with sub-devices", value = "iotda"))
  String dialect() default "iotda";

  @AttributeDefinition(
      name = "Client id",
      description = "MQTT client id, used by nobody else there; the gateway's id if empty.",
      required = false)
  String clientId() default "";

  @AttributeDefinition(
      name = "User",
      description = "User name, if one is asked for.",
      required = false)
  String user() default "";

  @AttributeDefinition(
      name = "Password",
      description = "Best as secret:name, kept in etc/secrets/name.",
      type = AttributeType.PASSWORD,
      required = false)
  String password() default "";

  @AttributeDefinition(
      name = "Window",
      description = "Messages on their way that aren't acknowledged yet.",
      min = "1",
      max = "1000",
      required = false)
  int window() default 64;

  @AttributeDefinition(
      name = "Keep-alive",
      description = "Seconds; a link that stays silent one and a half times as long is given up.",
      min = "4",
      max = "3600",
      required = false)
  int keepAliveSeconds() default 30;

  @AttributeDefinition(
      name = "Connect timeout",
      description = "Seconds for one attempt: TCP, TLS and the platform's word.",
      min = "1",
      max = "300",
      required = false)
  int connectTimeoutSeconds() default 10;

  @AttributeDefinition(
      name = "Bytes a day",
      description =
          "Bytes that may go over the network in 24 hours of running, in both directions; 0 for no"
              + " bound. They are spent evenly; a tenth is kept for alarms, which are never held"
              + " up.",
      min = "0",
      max = "1099511627776",
      required = false)
  long maxBytesPerDay() default 0;

  @AttributeDefinition(
      name = "Trust",
      description =
          "For mqtts: file below etc with the certificates to trust, PEM or PKCS#12, in place of"
              + " the Java runtime's own.",
      required = false)
  String trust() default "";

  @AttributeDefinition(
      name = "Trust password",
      description = "Of a PKCS#12 file that has one; best as secret:name.",
      type = AttributeType.PASSWORD,
      required = false)
  String trustPassword() default "";
}
