package io.culvert.core.profile;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.fhir.ucum.Component;
import org.fhir.ucum.Decimal;
import org.fhir.ucum.DefinedUnit;
import org.fhir.ucum.ExpressionParser;
import org.fhir.ucum.Operator;
import org.fhir.ucum.Symbol;
import org.fhir.ucum.Term;
import org.fhir.ucum.UcumEssenceService;
import org.fhir.ucum.UcumException;

/**
 * Units of the Unified Code for Units of Measure: checks codes and finds how values convert. The
 * table is read at the first use, which takes a few hundred milliseconds; so not on the thread that
 * starts the framework. Safe in any thread.
 *
 * <p>The library converts what is proportional. Temperature scales are added here (UCUM 2.2.1,
 * §21–22: their special units); every other special unit (pH, decibel …) has a curve for a scale
 * and is refused, as are arbitrary units of different measuring methods.
 */
final class Units {
  /** Longest code; those of the field have less than 20 characters. */
  private static final int MAX_LENGTH = 64;

  private static final Pattern DANGLING = Pattern.compile("[./]([./)]|$)");

  /**
   * Exponents beyond any quantity: the library writes the power out digit by digit, and {@code
   * cm200000} keeps it busy for minutes. Powers of ten have two digits; an exponent of brackets is
   * none of UCUM's (2.1, §7).
   */
  private static final Pattern EXCESSIVE =
      Pattern.compile("[^0-9./(*^+-][+-]?[0-9]{2}|[*^][+-]?[0-9]{3}|\\)[+-]?[0-9]");

  private static final BigDecimal FIVE = BigDecimal.valueOf(5);
  private static final BigDecimal NINE = BigDecimal.valueOf(9);

  private UcumEssenceService service;

  /** How a value converts: {@code to = from * factor + offset}. */
  record Linear(BigDecimal factor, BigDecimal offset) {
    static final Linear IDENTITY = new Linear(BigDecimal.ONE, BigDecimal.ZERO);
  }

  /** Why a code or a conversion isn't possible, in words that follow "expected". */
  static final class Impossible extends Exception {
    private static final long serialVersionUID = 1;

    Impossible(String expected) {
      super(expected);
    }
  }

  /** A temperature scale: kelvin = value * factor + offset. */
  private static Linear toKelvin(String code) {
    return switch (code) {
      case "Cel" -> new Linear(BigDecimal.ONE, new BigDecimal("273.15"));
      case "[degF]" ->
          new Linear(
              FIVE.divide(NINE, MathContext.DECIMAL128),
              new BigDecimal("459.67").multiply(FIVE).divide(NINE, MathContext.DECIMAL128));
      case "[degRe]" -> new Linear(new BigDecimal("1.25"), new BigDecimal("273.15"));
      default -> null;
    };
  }

  /** Reads the table if nothing has needed it yet. */
  private UcumEssenceService service() {
    if (service == null) {
      try (InputStream table = UcumEssenceService.class.getResourceAsStream("/ucum-essence.xml")) {
        service = new UcumEssenceService(table);
      } catch (IOException | UcumException e) {
        throw new IllegalStateException("The table of units in this bundle can't be read", e);
      }
    }
    return service;
  }

  /** Reads the table now, so that the first profile needn't wait for it. */
  synchronized void load() {
    service();
  }

  /** Fails if the code isn't one of UCUM (case-sensitive form). */
  synchronized void check(String code) throws Impossible {
    parse(code);
  }

  private Term parse(String code) throws Impossible {
    if (code.isEmpty() || code.length() > MAX_LENGTH) {
      throw new Impossible("a UCUM code of 1 to " + MAX_LENGTH + " characters, such as m3/h");
    }
    // The library's parser passes over an operator without a unit.
    if (DANGLING.matcher(code.replaceAll("\\{[^{}]*}", "{}")).find()) {
      throw new Impossible("a unit after each . and /");
    }
    String powers = code.replaceAll("\\{[^{}]*}", "").replaceAll("\\[[^\\[\\]]*]", "[]");
    if (EXCESSIVE.matcher(powers).find()) {
      throw new Impossible("exponents from -9 to 9, or of 10* from -99 to 99");
    }
    try {
      return new ExpressionParser(service().getModel()).parse(code);
    } catch (UcumException | RuntimeException e) {
      // The library's parser lets other exceptions through for some texts.
      throw new Impossible("a UCUM code such as m, m3/h, Cel, kW.h or %{vol}");
    }
  }

  /**
   * How values in one unit become values in another.
   *
   * @throws Impossible if a code is wrong, the dimensions differ, or a scale isn't linear
   */
  synchronized Linear convert(String from, String to) throws Impossible {
    Term parsedFrom = parse(from);
    Term parsedTo = parse(to);
    if (from.equals(to)) {
      return Linear.IDENTITY;
    }
    boolean specialFrom = special(parsedFrom);
    boolean specialTo = special(parsedTo);
    if (specialFrom || specialTo) {
      return temperature(from, specialFrom, to, specialTo);
    }
    Map<String, Integer> arbitraryFrom = new TreeMap<>();
    Map<String, Integer> arbitraryTo = new TreeMap<>();
    arbitrary(parsedFrom, 1, arbitraryFrom);
    arbitrary(parsedTo, 1, arbitraryTo);
    if (!arbitraryFrom.equals(arbitraryTo)) {
      throw new Impossible("a unit that converts to " + to);
    }
    return new Linear(factor(from, to), BigDecimal.ZERO);
  }

  private BigDecimal factor(String from, String to) throws Impossible {
    try {
      BigDecimal factor =
          new BigDecimal(service().convert(new Decimal("1"), from, to).asDecimal())
              .stripTrailingZeros();
      if (factor.signum() > 0) {
        return factor;
      }
    } catch (UcumException | RuntimeException e) {
      // Told below: the library's words name its own canonical forms.
    }
    throw new Impossible("a unit that converts to " + to);
  }

  private Linear temperature(String from, boolean specialFrom, String to, boolean specialTo)
      throws Impossible {
    if (specialFrom && toKelvin(from) == null || specialTo && toKelvin(to) == null) {
      throw new Impossible(
          "the same code as unit: "
              + (specialFrom && toKelvin(from) == null ? from : to)
              + " has no linear scale, so it isn't converted");
    }
    Linear source = specialFrom ? toKelvin(from) : new Linear(factor(from, "K"), BigDecimal.ZERO);
    Linear target = specialTo ? toKelvin(to) : new Linear(factor(to, "K"), BigDecimal.ZERO);
    MathContext digits = MathContext.DECIMAL128;
    return new Linear(
        source.factor().divide(target.factor(), digits).stripTrailingZeros(),
        source
            .offset()
            .subtract(target.offset())
            .divide(target.factor(), digits)
            .stripTrailingZeros());
  }

  /** Whether a special unit takes part in the term. */
  private static boolean special(Term term) {
    for (Term t = term; t != null; t = t.getTerm()) {
      Component component = t.getComp();
      if (component instanceof Term inner && special(inner)
          || component instanceof Symbol symbol
              && symbol.getUnit() instanceof DefinedUnit unit
              && unit.isSpecial()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Exponents of the units that stand for a measuring method: defined as 1 and yet no plain number,
   * such as [NTU]. The library's model doesn't tell UCUM's mark for them.
   */
  private void arbitrary(Term term, int sign, Map<String, Integer> into) throws Impossible {
    int direction = sign;
    for (Term t = term; t != null; t = t.getTerm()) {
      if (t.getComp() instanceof Term inner) {
        arbitrary(inner, direction, into);
      } else if (t.getComp() instanceof Symbol symbol
          && symbol.getUnit() instanceof DefinedUnit unit) {
        int exponent = direction * symbol.getExponent();
        String meaning = unit.getValue().getUnit();
        if (!"1".equals(meaning)) {
          Map<String, Integer> inside = new TreeMap<>();
          arbitrary(parse(meaning), 1, inside);
          inside.forEach((code, e) -> into.merge(code, e * exponent, Integer::sum));
        } else if (!"dimless".equals(unit.getClass_())) {
          into.merge(unit.getCode(), exponent, Integer::sum);
        }
      }
      // A division holds for the next component only, as the library builds its terms.
      direction = t.getOp() == Operator.DIVISION ? -sign : sign;
    }
    into.values().removeIf(e -> e == 0);
  }
}
