package io.culvert.serial;

import com.fazecast.jSerialComm.SerialPort;
import com.fazecast.jSerialComm.SerialPortInvalidPortException;
import io.culvert.api.southbound.SerialLines.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An open serial port and the thread that reads it. The one class that knows the library, so that
 * its native part is loaded no sooner than a port is opened.
 *
 * <p>Opening, configuring and writing block; they are called by one thread at a time.
 */
final class Port {
  /** As much as a read may bring; a frame of any protocol here is shorter. */
  private static final int CHUNK = 1024;

  /** How often an idle reader looks up, should it miss the end of its port. */
  private static final int READ_MILLIS = 1000;

  // errno of Linux (asm-generic/errno-base.h)
  private static final int ENOENT = 2;
  private static final int EIO = 5;
  private static final int ENXIO = 6;
  private static final int EAGAIN = 11;
  private static final int EACCES = 13;
  private static final int EBUSY = 16;
  private static final int ENODEV = 19;
  private static final int EINVAL = 22;
  private static final int ENOTTY = 25;

  static {
    // Unpacked anew under another name each time the library is loaded, below java.io.tmpdir, which
    // is the gateway's own: the class loader of an updated bundle may not load the same file again.
    System.setProperty("jSerialComm.library.randomizeNativeName", "true");
  }

  private final String device;
  private final SerialPort port;
  private final Input input;
  private Settings inForce;
  private volatile boolean closed;

  /** Hears what comes in; called by the reading thread. */
  interface Input {
    /**
     * @param bytes the listener's to keep
     * @param nanos when
     */
    void received(Port from, byte[] bytes, long nanos);

    /** Nothing more will come, though the port was not {@linkplain Port#close closed}. */
    void lost(Port from, IOException cause);
  }

  private Port(String device, SerialPort port, Settings settings, Input input) {
    this.device = device;
    this.port = port;
    this.inForce = settings;
    this.input = input;
  }

  /** Fails with what a person at the cabinet can do about it. */
  static Port open(String device, Settings settings, Input input) throws IOException {
    Path file = Path.of(device);
    if (!Files.exists(file)) {
      throw new IOException(
          device + " doesn't exist; correct the device file or connect the adapter" + present());
    }
    if (Files.isRegularFile(file) || Files.isDirectory(file)) {
      throw new IOException(device + " is no device file of a serial line" + present());
    }
    SerialPort port;
    try {
      port = SerialPort.getCommPort(device);
    } catch (SerialPortInvalidPortException gone) {
      throw new IOException(device + " can't be opened: " + gone.getMessage());
    } catch (LinkageError unloaded) {
      throw new IOException(
          "Serial lines can't be used here: the native part of jSerialComm doesn't load ("
              + unloaded.getMessage()
              + ")");
    }
    // A blocking write drains: it returns when the driver says that the last bit has left.
    port.setComPortTimeouts(
        SerialPort.TIMEOUT_READ_SEMI_BLOCKING | SerialPort.TIMEOUT_WRITE_BLOCKING, READ_MILLIS, 0);
    apply(port, settings);
    if (!port.openPort(0)) {
      throw new IOException(failure(device, file, port.getLastErrorCode(), settings));
    }
    return new Port(device, port, settings, input);
  }

  private static boolean apply(SerialPort port, Settings settings) {
    if (settings.rs485()) {
      port.setRs485ModeParameters(true, true, 0, 0);
    } else {
      // Whatever the machine's own configuration says of this port stays in force.
      port.disableRs485ModeControl();
    }
    int parity =
        switch (settings.parity()) {
          case NONE -> SerialPort.NO_PARITY;
          case EVEN -> SerialPort.EVEN_PARITY;
          case ODD -> SerialPort.ODD_PARITY;
        };
    return port.setComPortParameters(
        settings.baud(),
        settings.dataBits(),
        settings.stopBits() == 2 ? SerialPort.TWO_STOP_BITS : SerialPort.ONE_STOP_BIT,
        parity,
        settings.rs485());
  }

  /**
   * @param errno of the attempt to open, as far as the library keeps it
   */
  static String failure(String device, Path file, int errno, Settings settings) {
    return switch (errno) {
      case EACCES ->
          device
              + ": no permission. Add the gateway's user to the group "
              + group(file)
              + " and start the gateway anew";
      // The library says ENOENT, too, of a port that this process has open under another name.
      case EAGAIN, EBUSY, ENOENT ->
          device
              + " is in use, by another process or by this gateway under another name of the file;"
              + " see who: fuser -v "
              + device;
      case EINVAL ->
          device
              + " refuses its settings ("
              + words(settings)
              + "); see what it can: stty -F "
              + device;
      case ENOTTY, EIO, ENXIO, ENODEV ->
          device + " is not connected to any serial hardware (error " + errno + ")" + present();
      default -> device + " can't be opened (error " + errno + ")";
    };
  }

  private static String group(Path file) {
    try {
      return Files.readAttributes(file, PosixFileAttributes.class).group().getName();
    } catch (IOException | UnsupportedOperationException unknown) {
      return "dialout";
    }
  }

  static String words(Settings settings) {
    return settings.baud()
        + " baud, "
        + settings.dataBits()
        + settings.parity().name().charAt(0)
        + settings.stopBits();
  }

  /** The adapters that are there, for messages. */
  private static String present() {
    try (Stream<Path> files = Files.list(Path.of("/dev"))) {
      String names =
          files
              .map(Path::toString)
              .filter(name -> name.matches("/dev/tty(USB|ACM|AMA|XRUSB|S)[0-9]+"))
              .sorted()
              .collect(Collectors.joining(", "));
      return names.isEmpty() ? "" : "; there are " + names;
    } catch (IOException unknown) {
      return "";
    }
  }

  /** Starts reading. */
  void listen() {
    thread("serial-read " + device, this::read).start();
  }

  static Thread thread(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  private void read() {
    byte[] buffer = new byte[CHUNK];
    while (!closed) {
      int count = port.readBytes(buffer, CHUNK);
      if (count > 0) {
        input.received(this, Arrays.copyOf(buffer, count), System.nanoTime());
      } else if (count < 0 && !closed) {
        input.lost(this, new IOException(device + " is gone: unplugged, or its other end closed"));
        return;
      }
    }
  }

  /** Puts settings in force, unless they are. */
  void configure(Settings settings) throws IOException {
    if (settings.equals(inForce)) {
      return;
    }
    if (!apply(port, settings)) {
      throw new IOException(failure(device, Path.of(device), port.getLastErrorCode(), settings));
    }
    inForce = settings;
  }

  /** Returns when all has left, as far as the driver of the port knows. */
  void write(byte[] bytes) throws IOException {
    int written = port.writeBytes(bytes, bytes.length);
    if (written != bytes.length) {
      IOException cause =
          new IOException(device + " takes no data: unplugged, or its other end closed");
      input.lost(this, cause);
      throw cause;
    }
  }

  /** Ends reading, too. */
  void close() {
    closed = true;
    port.closePort();
  }
}
