package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.Buffer;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

class DiskStateTest {
  @TempDir Path directory;
  private DiskState disk;

  @BeforeEach
  void begin() {
    disk = new DiskState(directory, () -> 3L << 30);
  }

  private DiskState.Finding sqlite(SQLiteErrorCode code) {
    SQLException said = new SQLiteException("said", code);
    return disk.refused(new IOException("Can't write: said", said));
  }

  private DiskState.Finding system(String reason) {
    return disk.refused(new FileSystemException("file", null, reason));
  }

  @Test
  void aFullDiskIsKnownByWhoeverMeetsIt() {
    assertThat(sqlite(SQLiteErrorCode.SQLITE_FULL).state()).isEqualTo(Buffer.Disk.FULL);
    assertThat(disk.refused(new IOException("No space left on device")).state())
        .isEqualTo(Buffer.Disk.FULL);
    assertThat(system("Disk quota exceeded").state()).isEqualTo(Buffer.Disk.FULL);
    assertThat(system("No space left on device").problem())
        .startsWith("The disk with " + directory + " is full: ")
        .contains("the buffer takes 3072 MiB. Free space on it, or lower buffer.maxBytes");
  }

  @Test
  void aDiskThatCanOnlyBeReadIsKnown() {
    assertThat(sqlite(SQLiteErrorCode.SQLITE_READONLY_DBMOVED).state())
        .isEqualTo(Buffer.Disk.READ_ONLY);
    DiskState.Finding finding = system("Read-only file system");
    assertThat(finding.state()).isEqualTo(Buffer.Disk.READ_ONLY);
    assertThat(finding.problem())
        .startsWith("The disk with " + directory + ", mounted at /")
        .contains(" can only be read.", "mount it with -o remount,rw");
  }

  @Test
  void anythingElseIsAFailureWithItsWords() {
    DiskState.Finding finding = sqlite(SQLiteErrorCode.SQLITE_IOERR_FSYNC);
    assertThat(finding.state()).isEqualTo(Buffer.Disk.FAILING);
    assertThat(finding.problem()).contains(" answers with an error (Can't write: said)");
    assertThat(system("Input/output error").state()).isEqualTo(Buffer.Disk.FAILING);
    assertThat(sqlite(SQLiteErrorCode.SQLITE_CANTOPEN).state()).isEqualTo(Buffer.Disk.FAILING);
    assertThat(directory).as("of trying it, nothing stays").isEmptyDirectory();
  }

  @Test
  void silenceIsAFailureToo() {
    DiskState.Finding finding = disk.silent(Duration.ofSeconds(12));
    assertThat(finding.state()).isEqualTo(Buffer.Disk.FAILING);
    assertThat(finding.problem()).contains("doesn't answer: a commit has waited for 12 s");
  }
}
