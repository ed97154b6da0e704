package io.culvert.device.opcua;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.enumerated.NodeClass;
import org.eclipse.milo.opcua.stack.core.types.structured.ReferenceDescription;

/**
 * A node as a reference to it tells of it. Texts are cut to what a person reads.
 *
 * @param parent where the reference was; {@code null} for where one began
 * @param path names from where one began; {@code null} if they are too many or too long to be an
 *     address
 * @param type its type definition, {@code null} for none
 * @param depth references from where one began
 */
record Seen(
    NodeId id,
    NodeId parent,
    NodeRef.Path path,
    QualifiedName browseName,
    LocalizedText displayName,
    NodeClass nodeClass,
    boolean property,
    NodeId type,
    int depth) {

  /** Characters of a title. */
  static final int TITLE = 512;

  /** Characters of a path, some more than an address of a profile can have. */
  private static final int PATH = 300;

  static Seen start(NodeId id) {
    return new Seen(
        id,
        null,
        new NodeRef.Path(List.of()),
        QualifiedName.NULL_VALUE,
        LocalizedText.NULL_VALUE,
        NodeClass.Object,
        false,
        null,
        0);
  }

  /**
   * A node that a reference of this one leads to.
   *
   * @return nothing if it is on another server or not named as a node must be
   */
  Optional<Seen> child(ReferenceDescription reference, NamespaceTable namespaces) {
    NodeId target =
        reference.getNodeId() == null || !reference.getNodeId().isLocal()
            ? null
            : reference.getNodeId().toNodeId(namespaces).orElse(null);
    NodeClass own = reference.getNodeClass();
    if (target == null || target.isNull() || own == null) {
      return Optional.empty();
    }
    QualifiedName name = reference.getBrowseName();
    LocalizedText display = reference.getDisplayName();
    String title = display == null || display.getText() == null ? "" : display.getText();
    return Optional.of(
        new Seen(
            target,
            id,
            below(name, namespaces),
            new QualifiedName(
                name == null ? 0 : name.getNamespaceIndex().intValue(),
                cut(name == null || name.getName() == null ? "" : name.getName())),
            new LocalizedText(display == null ? null : display.getLocale(), cut(title)),
            own,
            NodeIds.HasProperty.equals(reference.getReferenceTypeId()),
            reference.getTypeDefinition() == null
                ? null
                : reference.getTypeDefinition().toNodeId(namespaces).orElse(null),
            depth + 1));
  }

  /** The path of a child; the namespace of its name stands there where it isn't the one before. */
  private NodeRef.Path below(QualifiedName name, NamespaceTable namespaces) {
    if (path == null
        || name == null
        || name.getName() == null
        || name.getName().isEmpty()
        || name.getName().length() > NodeRef.LONGEST_NAME
        || Shown.unwritable(name.getName()) != null) {
      return null;
    }
    int before =
        depth == 0 ? id.getNamespaceIndex().intValue() : browseName.getNamespaceIndex().intValue();
    String uri =
        name.getNamespaceIndex().intValue() == before
            ? null
            : namespaces.get(name.getNamespaceIndex());
    if (uri == null && name.getNamespaceIndex().intValue() != before) {
      return null;
    }
    List<NodeRef.Step> steps = new ArrayList<>(path.steps());
    steps.add(new NodeRef.Step(uri, name.getName()));
    NodeRef.Path longer = new NodeRef.Path(steps);
    return longer.toString().length() > PATH ? null : longer;
  }

  private static String cut(String text) {
    if (text.length() <= TITLE) {
      return text;
    }
    // Not between the halves of a character.
    int end = Character.isHighSurrogate(text.charAt(TITLE - 2)) ? TITLE - 2 : TITLE - 1;
    return text.substring(0, end) + "…";
  }

  /** What it takes of the memory for nodes that were looked at; 1 for an ordinary one. */
  int weight() {
    int text = browseName.getName().length() + String.valueOf(displayName.getText()).length();
    int identifier =
        id.getIdentifier() instanceof ByteString bytes
            ? bytes.length()
            : String.valueOf(id.getIdentifier()).length();
    return 1 + (text + identifier) / 400;
  }

  /** What people see of it: the display name, or the browse name where there is none. */
  String title() {
    String display = displayName.getText();
    return display == null || display.isBlank() ? browseName.getName() : display;
  }

  /** To search in. */
  String names() {
    return (displayName.getText() + " " + browseName.getName()).toLowerCase(Locale.ROOT);
  }

  /** Whether it is one of those that OPC UA itself has for its kind of node: its unit, say. */
  boolean standardProperty() {
    return property && browseName.getNamespaceIndex().intValue() == 0;
  }

  /** In the words of a profile's reader; {@code ""} if it can't be written so. */
  static String address(NodeId id, NamespaceTable namespaces) {
    String uri = namespaces.get(id.getNamespaceIndex());
    if (uri == null || id.isNull()) {
      return "";
    }
    String address = new NodeRef.Id(uri, id.getIdentifier()).toString();
    return NodeRef.parse(address, (found, expected) -> {}) == null ? "" : address;
  }
}
