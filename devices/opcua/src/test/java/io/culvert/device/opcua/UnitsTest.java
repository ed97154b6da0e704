package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.util.List;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.fhir.ucum.UcumEssenceService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitsTest {
  private static final Units UNITS = Units.table();

  @Test
  void everyCodeOfTheTableIsOneOfUcum() throws Exception {
    UcumEssenceService ucum;
    try (InputStream table = UcumEssenceService.class.getResourceAsStream("/ucum-essence.xml")) {
      ucum = new UcumEssenceService(table);
    }
    assertThat(new TreeSet<>(UNITS.codes().values()))
        .allSatisfy(code -> assertThat(ucum.validate(code)).as(code).isNull());
    assertThat(new TreeSet<>(UNITS.names().values()))
        .allSatisfy(code -> assertThat(ucum.validate(code)).as(code).isNull());
    assertThat(UNITS.codes()).hasSizeGreaterThan(250);
  }

  @ParameterizedTest
  @CsvSource({
    // As Part 8, 5.6.3 has its examples, and others computed by hand.
    "5066068, MMT, mm",
    "4408652, CEL, Cel",
    "5067858, MTR, m",
    "20529, P1, %",
    "5067080, MQH, m3/h",
    "4338743, B47, kN",
    "12850, 22, ",
    "13384, 4H, um",
    "5131349, NLU, "
  })
  void anIdIsACommonCode(int id, String code, String ucum) {
    if (ucum != null) {
      assertThat(Units.code(id)).isEqualTo(code);
    }
    assertThat(UNITS.ucum(Units.UNECE, id, null)).isEqualTo(ucum);
  }

  @Test
  void idsAreThoseOfUneceInItsNameSpaceOnly() {
    assertThat(UNITS.ucum("urn:maker:units", 5066068, null)).isNull();
    assertThat(UNITS.ucum(null, 5066068, "kPa")).isEqualTo("kPa");
  }

  @ParameterizedTest
  @CsvSource({
    "m³/h, m3/h",
    "m3/h, m3/h",
    "m^3/h, m3/h",
    "㎥/h, m3/h",
    "'  m³ / h ', m3/h",
    "°C, Cel",
    "℃, Cel",
    "degC, Cel",
    "µg/m³, ug/m3",
    "μg/m3, ug/m3",
    "%, %",
    "% RH, %{RH}",
    "bar, bar",
    "Bar, bar",
    "KW, kW",
    "kW·h, kW.h",
    "kWh, kW.h",
    "µS/cm, uS/cm",
    "1/min, /min",
    "s⁻¹, /s",
    "rpm, {rpm}/min",
    "l/s, L/s",
    "NTU, [NTU]",
    "pH, [pH]",
    "dB(A), dB{A}",
    "mm/h, mm/h",
    "mg/L, mg/L",
    "立方米/小时, m3/h",
    "m/s², m/s2",
    "Ω, Ohm",
    "Nm³/h, m3{norm}/h"
  })
  void aNameIsKnownAsPeopleWriteIt(String name, String ucum) {
    assertThat(UNITS.ucum(name)).isEqualTo(ucum);
    assertThat(UNITS.ucum(null, -1, name)).isEqualTo(ucum);
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "F", "S", "T", "G", "a", "mw", "MPA?", "furlong", "m³/", "m//s"})
  void whatMayMeanSeveralThingsHasNoCode(String name) {
    assertThat(UNITS.ucum(name)).isNull();
  }

  @Test
  void numbersWithoutUnitAreToldFromUnknownUnits() {
    assertThat(UNITS.ucum(Units.UNECE, 4404786, "1")).isEmpty();
    assertThat(UNITS.ucum(Units.UNECE, 0, "")).isNull();
    assertThat(UNITS.ucum(null, 0, "-")).isEmpty();
  }

  @Test
  void anIdAndANameThatContradictEachOtherGiveNothing() {
    assertThat(UNITS.ucum(Units.UNECE, 4408652, "°F")).isNull();
    assertThat(UNITS.ucum(Units.UNECE, 4408652, "°C")).isEqualTo("Cel");
    assertThat(UNITS.ucum(Units.UNECE, 4408652, "Temperatur")).isEqualTo("Cel");
    assertThat(UNITS.ucum(Units.UNECE, 20529, "% RH")).isEqualTo("%{RH}");
  }

  /** What DOMAIN calls the device classes: each unit that their profiles have, by some code. */
  @Test
  void whatTheFieldMeasuresIsInTheTable() {
    List<String> field =
        List.of(
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
            "kW.h",
            "mA",
            "Hz",
            "ug/m3",
            "mg/m3",
            "dB{A}",
            "{veh}/h",
            "km/h",
            "dB",
            "{count}",
            "{veh}",
            "{person}",
            "s",
            "%{LEL}",
            "%{RH}",
            "kV.A",
            "kV.A{var}",
            "{rpm}/min",
            "lx",
            "W/m2");
    assertThat(UNITS.names().values()).containsAll(field);
  }

  @Property(tries = 300)
  void anythingThatAServerCanSendIsBorne(@ForAll int id, @ForAll String name) {
    UNITS.ucum(Units.UNECE, id, name);
    assertThat(UNITS.ucum(null, id, name + "\u0000\uD800".repeat(20_000))).isNull();
  }
}
