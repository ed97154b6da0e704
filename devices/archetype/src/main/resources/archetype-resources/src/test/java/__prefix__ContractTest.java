package ${package};

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Value;
import io.culvert.api.southbound.Driver;
import io.culvert.testkit.DriverContract;
import io.culvert.testkit.Peer;
import io.culvert.testkit.Script;
import io.culvert.testkit.ScriptedPeer;
import java.io.IOException;

/** What every gateway relies on. The cases are the test kit's; here stands whom they talk to. */
class ${prefix}ContractTest extends DriverContract {
  private static final Point POWER = new Point("power", "16", DataType.UINT16, Access.READ);
  private static final Point TEMPERATURE =
      new Point("temperature", "17", DataType.INT16, Access.READ);
  private static final Point DIMMING =
      new Point("dimming", "32", DataType.UINT16, Access.READ_WRITE);
  private static final Point BURNING = new Point("burning", "33", DataType.BOOL, Access.READ);
  private static final Point ABSENT = new Point("absent", "99", DataType.UINT16, Access.READ);

  @Override
  protected Peer peer() throws IOException {
    Script script = Script.beside(getClass(), "${scheme}.script").sum("crc", ${prefix}ContractTest::checkSum);
    return ScriptedPeer.tcp("${scheme}://%s", script)
        .shows(POWER, Value.of(875))
        .shows(TEMPERATURE, Value.of(-200))
        .shows(DIMMING, Value.of(80))
        .shows(BURNING, Value.of(true))
        .refuses(ABSENT)
        .writes(DIMMING, Value.of(20), Value.of(100))
        .hasCheckSum();
  }

  private static byte[] checkSum(byte[] before) {
    int sum = ${prefix}Frames.checkSum(before, 0, before.length);
    return new byte[] {(byte) sum, (byte) (sum >> 8)};
  }

  @Override
  protected Driver activate() throws IOException {
    return new ${prefix}Driver();
  }

  @Override
  protected void deactivate(Driver driver) throws IOException {
    ((${prefix}Driver) driver).stop();
  }
}
