package io.culvert.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayoutTest {
  @TempDir Path folder;

  @Test
  void whatRunsIsTheOwnersAlone() throws Exception {
    Layout layout = new Layout(folder, folder.resolve("data"));
    layout.prepare();

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(layout.run())))
        .isEqualTo("rwx------");
    assertThat(layout.run()).isEmptyDirectory();
  }

  @Test
  void aDataDirectoryThatCanNotBeWrittenIsNamedWithAWayOut() throws Exception {
    Path data = Files.writeString(folder.resolve("data"), "a file");

    Failure failure = catchThrowableOfType(Failure.class, () -> new Layout(folder, data).prepare());

    assertThat(failure)
        .hasMessageContaining("Data directory can't be written: " + data)
        .hasMessageContaining("set CULVERT_DATA");
    assertThat(failure.exit()).isEqualTo(Exit.ENVIRONMENT);
  }

  @Test
  void oneGatewayHoldsTheDataAndAnotherIsToldWhich() throws Exception {
    Layout layout = new Layout(folder, folder.resolve("data"));
    layout.prepare();
    assertThat(DataLock.owner(layout)).isEmpty();

    DataLock lock = DataLock.take(layout);
    long pid = ProcessHandle.current().pid();
    assertThat(DataLock.owner(layout)).hasValue(pid);
    Failure failure = catchThrowableOfType(Failure.class, () -> DataLock.take(layout));
    assertThat(failure).hasMessageContaining("already (process " + pid + ")");
    assertThat(failure.exit()).isEqualTo(Exit.ALREADY_RUNNING);

    lock.close();
    assertThat(DataLock.owner(layout)).isEmpty();
    DataLock.take(layout).close();
  }
}
