package io.culvert.api.service;

import io.culvert.api.Quality;
import io.culvert.api.Value;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** The control service: the one door through which anything is written to a device. */
@ProviderType
public interface Commands {

  /**
   * Checks access and range, writes the audit record, takes a turn on the device's lane ahead of
   * polling, writes, reads back and answers. Never blocks.
   *
   * @return always completes with a result, whatever happens
   */
  CompletionStage<Result> submit(Command command);

  /**
   * @param id of the caller's choice; returned with the result and kept in the audit record
   * @param device id of the device
   * @param point id of a writable point
   * @param value in the unit of the profile
   * @param origin who asks: {@code platform:city}, {@code shell:root}
   */
  record Command(String id, String device, String point, Value value, String origin) {}

  /**
   * @param id of the command
   * @param done whether the device took the value and, where the point can be read, shows it
   * @param quality good, or what the device or the gateway says against it
   * @param readBack value that the device shows after the write, in the unit of the profile; {@code
   *     null} if it could not be read
   * @param message what went wrong and what to do; {@code ""} if nothing
   */
  record Result(String id, boolean done, Quality quality, Value readBack, String message) {}
}
