package io.culvert.core.site;

import io.culvert.api.service.Generations;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Generations as the other bundles see them. */
@Component
public final class GenerationService implements Generations {
  private final SiteService site;

  @Activate
  public GenerationService(@Reference SiteService site) {
    this.site = site;
  }

  @Override
  public Generation current() {
    return site.generation();
  }

  @Override
  public Generation lock(Map<String, Plugin> lock) throws IOException {
    return site.lock(lock);
  }

  @Override
  public boolean onTrial() {
    return site.onTrial();
  }

  @Override
  public Generation trial(Map<String, Plugin> lock) throws IOException {
    return site.trial(lock);
  }

  @Override
  public void confirm() throws IOException {
    site.confirm();
  }

  @Override
  public Generation revert(String reason) {
    return site.revert(reason);
  }

  @Override
  public Map<String, TakenBack> takenBack() {
    return site.takenBack();
  }

  @Override
  public List<String> problems() {
    return site.problems();
  }
}
