package io.culvert.buffer;

import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Buffer.Holdings;
import io.culvert.api.service.Buffer.Verification;
import java.io.IOException;
import java.time.Instant;

/** Answers what people ask of the buffer: what is there, what became of it, whether it is whole. */
final class Inspection {
  private final Store store;
  private final Ledger ledger;
  private final Accounts accounts;

  Inspection(Store store, Ledger ledger, Accounts accounts) {
    this.store = store;
    this.ledger = ledger;
    this.accounts = accounts;
  }

  /** See {@link io.culvert.api.service.Buffer#account}. */
  Account account(String device, Instant from, Instant to) throws IOException {
    throw new IOException("not yet");
  }

  /** See {@link io.culvert.api.service.Buffer#holdings}. */
  Holdings holdings() throws IOException {
    throw new IOException("not yet");
  }

  /** See {@link io.culvert.api.service.Buffer#verify}. */
  Verification verify() throws IOException {
    throw new IOException("not yet");
  }
}
