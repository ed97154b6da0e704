package io.culvert.simulator.view;

import java.util.Locale;
import java.util.MissingResourceException;
import java.util.ResourceBundle;

/** The words of the view, in English or Chinese. */
public final class Words {
  private final ResourceBundle bundle;

  /**
   * @param language {@code en} or {@code zh-CN}
   */
  public Words(String language) {
    Locale locale = language.startsWith("zh") ? Locale.SIMPLIFIED_CHINESE : Locale.ROOT;
    this.bundle =
        ResourceBundle.getBundle(
            "io.culvert.simulator.words",
            locale,
            ResourceBundle.Control.getNoFallbackControl(ResourceBundle.Control.FORMAT_PROPERTIES));
  }

  public String get(String key) {
    try {
      return bundle.getString(key);
    } catch (MissingResourceException e) {
      return key;
    }
  }

  public String get(String key, Object... values) {
    return String.format(Locale.ROOT, get(key), values);
  }
}
