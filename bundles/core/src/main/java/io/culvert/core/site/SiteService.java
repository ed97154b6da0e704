package io.culvert.core.site;

import io.culvert.api.service.Generations.Generation;
import io.culvert.api.service.Generations.Plugin;
import io.culvert.api.service.Generations.TakenBack;
import io.culvert.core.document.YamlReader;
import io.culvert.core.model.Site;
import io.culvert.core.profile.ProfileRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.time.InstantSource;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.xml.stream.XMLStreamException;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.util.tracker.BundleTracker;
import org.osgi.util.tracker.BundleTrackerCustomizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The site in the framework: gives {@link SiteKeeper} its thread, and what bundles bring: profiles
 * (header {@value #PROFILES}) and Metatype resources.
 */
@Component(
    service = {SiteSource.class, SiteService.class},
    immediate = true)
public final class SiteService implements SiteSource, BundleTrackerCustomizer<Boolean> {
  private static final Logger LOG = LoggerFactory.getLogger(SiteService.class);

  /** Manifest header: a folder of the bundle with profiles. */
  static final String PROFILES = "Culvert-Profiles";

  /** Folder of a bundle with Metatype resources (Compendium 105.7). */
  static final String METATYPE = "OSGI-INF/metatype";

  private static final long PERIOD_MILLIS = 1000;

  private final GenerationStore store;
  private final ProfileRegistry profiles = new ProfileRegistry();
  private final Metatypes metatypes = new Metatypes();
  private final SiteKeeper keeper;
  private final ScheduledExecutorService worker =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "culvert-site");
            thread.setDaemon(true);
            return thread;
          });
  private final BundleTracker<Boolean> bundles;

  @Activate
  public SiteService(BundleContext context, @Reference ConfigurationAdmin admin)
      throws IOException {
    Home home = Home.of(context);
    store = GenerationStore.open(home.data().resolve("generations"));
    keeper =
        new SiteKeeper(
            home.etc(),
            store,
            profiles,
            metatypes,
            new Configurations(admin)::apply,
            InstantSource.system());
    // The platforms' configurations first; then, while other bundles start, the table of units.
    worker.execute(keeper::look);
    worker.execute(profiles::prepare);
    worker.scheduleWithFixedDelay(
        keeper::look, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    bundles = new BundleTracker<>(context, Bundle.ACTIVE | Bundle.STARTING, this);
    bundles.open();
  }

  @Deactivate
  void deactivate() {
    bundles.close();
    worker.shutdownNow();
  }

  @Override
  public Site current() {
    return keeper.current();
  }

  @Override
  public Listening listen(Consumer<Site> listener) {
    return keeper.listen(listener);
  }

  @Override
  public String where(String device, String key) {
    return keeper.where(device, key);
  }

  @Override
  public List<String> problems() {
    return keeper.problems();
  }

  /** The generation in force. */
  Generation generation() {
    return store.current();
  }

  /** As {@link io.culvert.api.service.Generations} has it, like those that follow. */
  Generation lock(Map<String, Plugin> lock) throws IOException {
    return store.lock(lock);
  }

  boolean onTrial() {
    return store.onTrial();
  }

  Generation trial(Map<String, Plugin> lock) throws IOException {
    return store.trial(lock);
  }

  void confirm() throws IOException {
    store.confirm();
  }

  Generation revert(String reason) {
    Generation back = store.revert(reason);
    // Else the site would follow a second later.
    worker.execute(keeper::look);
    return back;
  }

  Map<String, TakenBack> takenBack() {
    return store.takenBack();
  }

  @Override
  public Boolean addingBundle(Bundle bundle, BundleEvent event) {
    String folder = bundle.getHeaders("").get(PROFILES);
    Enumeration<URL> types = bundle.findEntries(METATYPE, "*.xml", false);
    if (folder == null && types == null) {
      return null;
    }
    // The table of units is read with the first profile: not on the thread that starts bundles.
    worker.execute(
        () -> {
          long number = bundle.getBundleId();
          metatypes.bundle(number, types == null ? Map.of() : metatypes(bundle, types));
          profiles.bundle(number, folder == null ? Map.of() : profiles(bundle, folder.strip()));
          keeper.look();
        });
    return true;
  }

  @Override
  public void modifiedBundle(Bundle bundle, BundleEvent event, Boolean tracked) {
    // From STARTING to ACTIVE: what it brings is the same.
  }

  @Override
  public void removedBundle(Bundle bundle, BundleEvent event, Boolean tracked) {
    long number = bundle.getBundleId();
    worker.execute(
        () -> {
          metatypes.bundle(number, Map.of());
          profiles.bundle(number, Map.of());
          keeper.look();
        });
  }

  private static Map<String, Metatype> metatypes(Bundle bundle, Enumeration<URL> types) {
    Map<String, Metatype> declared = new HashMap<>();
    for (URL type : Collections.list(types)) {
      try (InputStream in = type.openStream()) {
        declared.putAll(Metatype.read(in));
      } catch (IOException | XMLStreamException e) {
        LOG.error("{}{}: {}", bundle.getSymbolicName(), type.getPath(), e.toString());
      }
    }
    return declared;
  }

  private static Map<String, byte[]> profiles(Bundle bundle, String folder) {
    Map<String, byte[]> files = new TreeMap<>();
    Enumeration<URL> entries = bundle.findEntries(folder, "*.yaml", false);
    if (entries == null) {
      LOG.error(
          "{}: found no *.yaml in the folder {} that its header {} names; expected profiles",
          bundle.getSymbolicName(),
          folder,
          PROFILES);
      return files;
    }
    for (URL entry : Collections.list(entries)) {
      String file = bundle.getSymbolicName() + "!/" + entry.getPath().replaceFirst("^/", "");
      try (InputStream in = entry.openStream()) {
        files.put(file, in.readNBytes(YamlReader.MAX_BYTES + 1));
      } catch (IOException e) {
        LOG.error("{} can't be read: {}", file, e.toString());
      }
    }
    return files;
  }
}
