package io.culvert.core.site;

import io.culvert.api.service.Generations;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The gateway's own store of generations, for tests outside its bundle. */
public final class StoredGenerations implements Generations {
  private final GenerationStore store;

  private StoredGenerations(GenerationStore store) {
    this.store = store;
  }

  public static StoredGenerations open(Path directory) throws IOException {
    return new StoredGenerations(GenerationStore.open(directory));
  }

  /** Puts a site document in force. */
  public void site(byte[] document) throws IOException {
    store.site(document);
  }

  /** The one in force, {@code null} for none. */
  public byte[] site() {
    return store.site();
  }

  @Override
  public Generation current() {
    return store.current();
  }

  @Override
  public boolean onTrial() {
    return store.onTrial();
  }

  @Override
  public Generation lock(Map<String, Plugin> lock) throws IOException {
    return store.lock(lock);
  }

  @Override
  public Generation trial(Map<String, Plugin> lock) throws IOException {
    return store.trial(lock);
  }

  @Override
  public void confirm() throws IOException {
    store.confirm();
  }

  @Override
  public Generation revert(String reason) {
    return store.revert(reason);
  }

  @Override
  public Map<String, TakenBack> takenBack() {
    return store.takenBack();
  }

  @Override
  public List<String> problems() {
    return List.of();
  }
}
