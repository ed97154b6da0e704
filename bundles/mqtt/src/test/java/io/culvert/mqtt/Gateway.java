package io.culvert.mqtt;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Secrets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/** The rest of a gateway around a forwarder: core's services by hand, and the buffer's part. */
final class Gateway implements Commands, Monitor, Secrets {
  static final String ID = "cabinet-17";
  static final Instant TIME = Instant.parse("2026-11-21T01:48:00.123Z");
  static final String SYS = "$oc/devices/" + ID + "/sys/";

  final List<Command> commands = new CopyOnWriteArrayList<>();
  volatile Buffer buffer;
  final AtomicInteger wakes = new AtomicInteger();
  final Map<String, String> secrets = new LinkedHashMap<>();
  volatile Function<Command, CompletionStage<Result>> device =
      command ->
          CompletableFuture.completedFuture(
              new Result(command.id(), true, Quality.GOOD, command.value(), ""));
  private final Map<String, State> states = new LinkedHashMap<>();
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private int port;
  private String host = "127.0.0.1";
  private boolean tls;
  private Path trust;
  private String user = "";
  private String password = "";
  private int window = 64;
  private Duration keepAlive = Duration.ofSeconds(30);
  private Duration connectTimeout = Duration.ofSeconds(5);
  private Duration maxBackoff = Duration.ofMillis(200);

  Gateway at(int port) {
    this.port = port;
    return this;
  }

  Gateway at(String host, int port) {
    this.host = host;
    this.port = port;
    return this;
  }

  Gateway tls(Path trust) {
    this.tls = true;
    this.trust = trust;
    return this;
  }

  Gateway as(String user, String password) {
    this.user = user;
    this.password = password;
    return this;
  }

  Gateway window(int window) {
    this.window = window;
    return this;
  }

  Gateway keepAlive(Duration keepAlive) {
    this.keepAlive = keepAlive;
    return this;
  }

  Gateway connectTimeout(Duration connectTimeout) {
    this.connectTimeout = connectTimeout;
    return this;
  }

  Gateway maxBackoff(Duration maxBackoff) {
    this.maxBackoff = maxBackoff;
    return this;
  }

  Settings settings() {
    return new Settings(
        "city",
        ID,
        host,
        port,
        tls,
        ID,
        user,
        password,
        window,
        keepAlive,
        connectTimeout,
        trust,
        "",
        Duration.ofMillis(50),
        maxBackoff);
  }

  MqttForwarder forward() {
    return forward(256 * 1024);
  }

  MqttForwarder forward(int maxBytes) {
    MqttForwarder forwarder =
        new MqttForwarder(
            settings(),
            new IotDa(ID, maxBytes),
            this,
            this,
            this,
            () -> buffer,
            InstantSource.system(),
            RandomGenerator.getDefault());
    forwarder.onChange(wakes::incrementAndGet);
    return forwarder;
  }

  static Reading reading(String device, String point, Value value) {
    return reading(device, point, value, "m", Quality.GOOD, TIME);
  }

  static Reading reading(
      String device, String point, Value value, String unit, Quality quality, Instant time) {
    return new Reading(
        device,
        point,
        StreamClass.TELEMETRY,
        value,
        unit,
        quality,
        time,
        time,
        ClockState.SYNCHRONISED,
        Grade.GENERAL);
  }

  /** A batch of one reading whose value and number are {@code n}. */
  static Batch batch(long n) {
    return batch(List.of(new Batch.Entry(n, reading("uw-001", "level", Value.of(n)))));
  }

  static Batch batch(List<Batch.Entry> entries) {
    return new Batch(StreamClass.TELEMETRY, false, entries);
  }

  /** Numbers of the readings in reports, in the order of arrival. */
  static List<Long> numbers(Consumer consumer) {
    List<Long> numbers = new ArrayList<>();
    for (Consumer.Heard heard : consumer.heard("properties/report")) {
      numbers.add(
          (Long) Json.at(heard.json(), "devices", 0, "services", 0, "properties", "seq_first"));
    }
    return numbers;
  }

  @Override
  public CompletionStage<Result> submit(Command command) {
    commands.add(command);
    return device.apply(command);
  }

  @Override
  public Optional<String> get(String name) {
    return Optional.ofNullable(secrets.get(name));
  }

  synchronized void state(String id, State state) {
    states.put(id, state);
    listeners.forEach(l -> l.changed(status(id, state)));
  }

  private static DeviceStatus status(String id, State state) {
    return new DeviceStatus(id, "p", "sim://x", "x", state, "", TIME, null, 0, 0);
  }

  @Override
  public synchronized Watch watch(Listener listener) {
    states.forEach((id, state) -> listener.changed(status(id, state)));
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  @Override
  public List<DeviceStatus> devices() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Reading> latest(String id) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String gateway() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Figures figures() {
    throw new UnsupportedOperationException();
  }
}
