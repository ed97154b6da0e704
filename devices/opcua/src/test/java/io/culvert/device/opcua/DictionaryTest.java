package io.culvert.device.opcua;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.structured.DataTypeDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureField;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DictionaryTest {

  private static Map<String, DataTypeDefinition> read(byte[] xml) throws IOException {
    return Dictionary.read(xml, name -> new NodeId(0, name), name -> new NodeId(1, name));
  }

  private static Map<String, DataTypeDefinition> fields(String fields) throws IOException {
    return read(
        ("<o:TypeDictionary xmlns:o='http://opcfoundation.org/BinarySchema/' xmlns:t='urn:t'"
                + " TargetNamespace='urn:t'><o:StructuredType Name='A'>"
                + fields
                + "</o:StructuredType></o:TypeDictionary>")
            .getBytes(UTF_8));
  }

  /** Each is right in OPC Binary, and OPC UA encodes nothing so. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "<o:Field Name='a' TypeName='o:Bit' Length='3'/>",
        "<o:Field Name='a' TypeName='o:Byte' Length='3'/>",
        "<o:Field Name='n' TypeName='o:Byte'/>"
            + "<o:Field Name='a' TypeName='o:Float' LengthField='n'/>",
        "<o:Field Name='n' TypeName='o:Int32'/><o:Field Name='b' TypeName='o:Float'/>"
            + "<o:Field Name='a' TypeName='o:Float' LengthField='n'/>",
        "<o:Field Name='s' TypeName='o:UInt32'/>"
            + "<o:Field Name='a' TypeName='o:Float' SwitchField='s' SwitchValue='2'/>",
        "<o:Field Name='s' TypeName='o:UInt32'/><o:Field Name='b' TypeName='o:Float'/>"
            + "<o:Field Name='a' TypeName='o:Float' SwitchField='s' SwitchValue='1'/>",
        "<o:Field Name='s' TypeName='o:Bit'/><o:Field Name='t' TypeName='o:Bit' Length='31'/>"
            + "<o:Field Name='a' TypeName='o:Float' SwitchField='t'/>",
        "<o:Field Name='s' TypeName='o:Bit' Length='2'/><o:Field Name='t' TypeName='o:Bit'"
            + " Length='30'/><o:Field Name='a' TypeName='o:Float' SwitchField='s'/>",
        "<o:Field Name='s' TypeName='o:Bit'/><o:Field Name='t' TypeName='o:Bit' Length='31'/>"
            + "<o:Field Name='n' TypeName='o:Int32'/>"
            + "<o:Field Name='a' TypeName='o:Float' LengthField='n' SwitchField='s'/>",
        "<o:Field Name='a' TypeName='t:Missing'/>",
        "<o:Field Name='a' TypeName='o:Nonsense'/>",
        "<o:Field Name='a' TypeName='Float'/>"
      })
  void whatOpcUaDoesNotEncodeIsLeftOut(String fields) throws IOException {
    assertThat(fields(fields)).isEmpty();
  }

  @Test
  void aTypeMayBeMadeOfItself() throws IOException {
    Map<String, DataTypeDefinition> types =
        fields(
            "<o:Field Name='n' TypeName='o:Int32'/>"
                + "<o:Field Name='a' TypeName='t:A' LengthField='n'/>");
    StructureField field = ((StructureDefinition) types.get("A")).getFields()[0];
    assertThat(field.getDataType()).isEqualTo(new NodeId(1, "A"));
    assertThat(field.getValueRank()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nothing",
        "<a>",
        "<o:TypeDictionary xmlns:o='http://opcfoundation.org/BinarySchema/'>"
            + "<o:Field Name='a'/></o:TypeDictionary>",
        "<o:TypeDictionary xmlns:o='http://opcfoundation.org/BinarySchema/'"
            + " TargetNamespace='urn:t'><o:StructuredType Name='A'><o:Field Name='a' TypeName='o:Bit' Length='many'/>"
            + "</o:StructuredType></o:TypeDictionary>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><a>&b;</a>"
      })
  void whatIsNoDictionaryIsToldInWords(String xml) {
    assertThatThrownBy(() -> read(xml.getBytes(UTF_8)))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("The type dictionary can't be read: ");
  }

  @Property(tries = 2_000)
  void damagedBytesAreNoDictionaryOrAnother(
      @ForAll @IntRange(max = 3_000) int at, @ForAll byte to, @ForAll @IntRange(max = 40) int cut) {
    byte[] xml = TypesPlant.DICTIONARY.getBytes(UTF_8);
    xml[at % xml.length] = to;
    int length = xml.length - cut * cut;
    try {
      read(java.util.Arrays.copyOf(xml, length));
    } catch (IOException expected) {
      assertThat(expected).hasMessageStartingWith("The type dictionary can't be read: ");
    }
  }
}
