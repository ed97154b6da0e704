package io.culvert.core.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitsTest {
  private static final Units UNITS = new Units();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "um/m",
        "Cel",
        "m/s2",
        "mm",
        "deg",
        "m",
        "mm/h",
        "m/s",
        "m3/h",
        "V",
        "%{vol}",
        "[ppm]",
        "%",
        "kPa",
        "MPa",
        "L",
        "[NTU]",
        "mg/L",
        "[pH]",
        "uS/cm",
        "A",
        "kW",
        "m3/s",
        "mA",
        "kW.h",
        "Hz",
        "ug/m3",
        "dB{A}",
        "{veh}/h",
        "km/h",
        "{person}/m2",
        "By",
        "s",
        "1",
        "{state}",
        "10*12/L",
        "10*-6",
        "10^3",
        "1000.m",
        "m-2",
        "B[10.nV]",
        "m[H2O]",
        "{lane12}/h"
      })
  void knowsTheCodesOfTheField(String code) throws Units.Impossible {
    UNITS.check(code);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "°C",
        "m³",
        "furlong",
        "m(",
        "m.(s",
        "kPa[",
        "m//s",
        "m/",
        "m.",
        "(m/)",
        "m /s",
        "((((((((((",
        "{",
        "10*99999999999",
        "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
      })
  void refusesOthers(String code) {
    assertThatThrownBy(() -> UNITS.check(code)).isInstanceOf(Units.Impossible.class);
  }

  @ParameterizedTest
  @CsvSource({
    "mV, V, 9000, 9",
    "kPa, MPa, 400, 0.4",
    "W, kW, 9600, 9.6",
    "[ppm], %{vol}, 10000, 1",
    "L/s, m3/h, 10, 36",
    "bar, kPa, 1.5, 150",
    "mm, m, 0, 0",
    "[degF], Cel, 77, 25",
    "[degF], Cel, 32, 0",
    "[degF], K, -459.67, 0",
    "Cel, K, 25, 298.15",
    "K, Cel, 0, -273.15",
    "mK, Cel, 273150, 0",
    "Cel, [degF], 100, 212",
    "[degRe], Cel, 80, 100",
    "J, kW.h, 3600000, 1",
    "[NTU], [NTU], 3, 3",
    "[pH], [pH], 7, 7",
    "By, bit, 2, 16",
    "By/s, bit/s, 2, 16",
  })
  void converts(String from, String to, double value, double expected) throws Units.Impossible {
    Units.Linear linear = UNITS.convert(from, to);

    assertThat(
            linear.factor().multiply(BigDecimal.valueOf(value)).add(linear.offset()).doubleValue())
        .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-12));
  }

  /** The library would convert some of these, silently and wrongly. */
  @ParameterizedTest
  @CsvSource({
    "m, s",
    "[pH], mol/L",
    "B[V], V",
    "dB, %",
    "[NTU], %",
    "[NTU], [FNU]",
    "Cel/h, K/h",
    "mCel, K",
    "Cel, m",
    "[ppm], m",
    "bit, By2",
  })
  void refusesWhatHasNoFactor(String from, String to) {
    assertThatThrownBy(() -> UNITS.convert(from, to)).isInstanceOf(Units.Impossible.class);
  }

  /** Such a code is a slip of the pen; expanding it would take all memory. */
  @ParameterizedTest
  @CsvSource({"cm999999999, m999999999", "cm200000, m200000", "(cm9999)9999, m"})
  void refusesAnExponentThatNoQuantityHas(String from, String to) {
    assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () ->
            assertThatThrownBy(() -> UNITS.convert(from, to)).isInstanceOf(Units.Impossible.class));
  }
}
