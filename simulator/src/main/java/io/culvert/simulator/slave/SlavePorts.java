package io.culvert.simulator.slave;

import io.culvert.simulator.street.Fault;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.Street.Resident;
import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.truth.Truth;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** All the street's slaves, listening. Listens on loopback unless told otherwise. */
public final class SlavePorts implements AutoCloseable {
  private static final int TARGET_DOES_NOT_RESPOND = 0x0B;

  private final Truth truth = new Truth();
  private final EventLoopGroup threads =
      new NioEventLoopGroup(2, new DefaultThreadFactory("slaves", true));
  private final Map<EventExecutor, Held> held = new HashMap<>();
  private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final InstantSource clock;
  private final LongAdder answers = new LongAdder();
  private volatile boolean silent;

  private SlavePorts(InstantSource clock) {
    this.clock = clock;
    threads.forEach(thread -> held.put(thread, Held.of(thread)));
  }

  /** Opens every port of a street. Blocks until all listen. */
  public static SlavePorts open(Street street, String host, InstantSource clock)
      throws StreetException {
    SlavePorts ports = new SlavePorts(clock);
    try {
      ports.bind(street, host);
      return ports;
    } catch (StreetException | RuntimeException e) {
      ports.close();
      throw e;
    }
  }

  private void bind(Street street, String host) throws StreetException {
    long openedAt = clock.millis();
    Map<Integer, Map<Integer, Slave>> byPort = new TreeMap<>();
    Map<Integer, Street.Framing> framings = new HashMap<>();
    for (Resident resident : street.devices()) {
      Slave slave = new Slave(street, resident, clock, openedAt);
      truth.add(slave.truth());
      byPort.computeIfAbsent(resident.port(), port -> new HashMap<>()).put(slave.unit(), slave);
      framings.put(resident.port(), resident.framing());
    }
    for (Map.Entry<Integer, Map<Integer, Slave>> port : byPort.entrySet()) {
      Channel channel =
          new ServerBootstrap()
              .group(threads)
              .channel(NioServerSocketChannel.class)
              .option(ChannelOption.SO_REUSEADDR, true)
              .childOption(ChannelOption.TCP_NODELAY, true)
              .childHandler(new Setup(port.getValue(), framings.get(port.getKey())))
              .bind(new InetSocketAddress(host, port.getKey()))
              .awaitUninterruptibly()
              .channel();
      if (!channel.isActive()) {
        throw new StreetException(
            "Port "
                + port.getKey()
                + " is taken, and the street needs it for its devices ("
                + port.getValue().size()
                + " units); free it or choose another with --port-base");
      }
      channels.add(channel);
    }
  }

  /** What the slaves have shown. */
  public Truth truth() {
    return truth;
  }

  /** Answers given since opening. */
  public long answers() {
    return answers.sum();
  }

  /** From now on no request is answered. */
  public void fallSilent() {
    silent = true;
  }

  @Override
  public void close() {
    silent = true;
    channels.close().awaitUninterruptibly();
    threads.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000);
  }

  private final class Setup extends ChannelInitializer<Channel> {
    private final Map<Integer, Slave> units;
    private final Street.Framing framing;

    Setup(Map<Integer, Slave> units, Street.Framing framing) {
      this.units = units;
      this.framing = framing;
    }

    @Override
    protected void initChannel(Channel channel) {
      channels.add(channel);
      Frames frames = framing == Street.Framing.RTU ? new RtuFrames() : new TcpFrames();
      channel.pipeline().addLast(frames.decoder());
      channel.pipeline().addLast(new Requests(units, frames));
    }
  }

  private final class Requests extends SimpleChannelInboundHandler<Frames.Request> {
    private final Map<Integer, Slave> units;
    private final Frames frames;

    Requests(Map<Integer, Slave> units, Frames frames) {
      this.units = units;
      this.frames = frames;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, Frames.Request request) {
      long askedAt = clock.millis() - held.get(context.executor()).millis();
      if (silent) {
        return;
      }
      Slave slave = units.get(request.unit());
      if (slave == null) {
        if (frames.gateway()) {
          write(context, request, Slave.exception(request.pdu()[0], TARGET_DOES_NOT_RESPOND));
        }
        return;
      }
      Fault fault = slave.nextFault();
      if (fault == null) {
        reply(context, slave, request, askedAt);
      } else {
        spoil(fault, context, slave, request, askedAt);
      }
    }

    private void reply(
        ChannelHandlerContext context, Slave slave, Frames.Request request, long askedAt) {
      if (context.channel().isActive() && !silent) {
        write(context, request, slave.answer(request.pdu(), askedAt, false));
      }
    }

    private void spoil(
        Fault fault,
        ChannelHandlerContext context,
        Slave slave,
        Frames.Request request,
        long askedAt) {
      byte[] pdu = request.pdu();
      switch (fault.kind()) {
        case GAP -> context.close();
        case SLOW, LATE ->
            context
                .executor()
                .schedule(
                    () -> reply(context, slave, request, askedAt),
                    (long) fault.amount(),
                    TimeUnit.MILLISECONDS);
        case EXCEPTION -> write(context, request, Slave.exception(pdu[0], (int) fault.amount()));
        case GARBAGE -> {
          slave.answer(pdu, askedAt, true);
          byte[] noise = new byte[24];
          ThreadLocalRandom.current().nextBytes(noise);
          context.writeAndFlush(context.alloc().buffer().writeBytes(noise));
        }
        case SHORT -> {
          byte[] answer = slave.answer(pdu, askedAt, true);
          byte[] cut = java.util.Arrays.copyOf(answer, Math.max(2, answer.length - 2));
          cut[1] = (byte) (cut.length - 2);
          write(context, request, cut);
        }
        case WRONG_UNIT ->
            write(
                context,
                new Frames.Request(request.transaction(), request.unit() ^ 0x80, pdu),
                slave.answer(pdu, askedAt, true));
        case WRONG_TRANSACTION ->
            write(
                context,
                new Frames.Request(request.transaction() ^ 0x5555, request.unit(), pdu),
                slave.answer(pdu, askedAt, true));
        case CHECKSUM -> {
          ByteBuf frame = frames.answer(context.alloc(), request, slave.answer(pdu, askedAt, true));
          int last = frame.writerIndex() - 1;
          frame.setByte(last, frame.getByte(last) ^ 0xFF);
          context.writeAndFlush(frame);
        }
        default -> {
          // No answer, which is what the fault says.
        }
      }
    }

    private void write(ChannelHandlerContext context, Frames.Request request, byte[] pdu) {
      context.writeAndFlush(frames.answer(context.alloc(), request, pdu));
      answers.increment();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      // Whoever speaks no Modbus, or hangs up, is shown out.
      context.close();
    }
  }
}
