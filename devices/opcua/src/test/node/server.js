// An OPC UA server by node-opcua, for the tests. Its options are one line of JSON as argument; it
// takes commands as lines of JSON on its standard input and answers each with one on its standard
// output: {"id": 1, "do": "set", …} gives {"id": 1, "ok": …} or {"id": 1, "error": "…"}.
//
// Options: port (0 for a free one), pki (folder for its certificates), security (false for None
// alone, true for all but None), users, limits (OperationLimits by their names), nodes (how many
// counters), maxSubscriptionLifetime, minPublishing.
'use strict';

// What the library prints is for the error output.
console.log = console.error;

const readline = require('node:readline');
const path = require('node:path');
const {OPCUAServer} = require('node-opcua-server');
const {DataType, VariantArrayType} = require('node-opcua-variant');
const {StatusCodes, StatusCode} = require('node-opcua-status-code');
const {LocalizedText, QualifiedName} = require('node-opcua-data-model');
const {ExpandedNodeId, resolveNodeId} = require('node-opcua-nodeid');
const {MessageSecurityMode, SecurityPolicy} = require('node-opcua-secure-channel');
const {OPCUACertificateManager} = require('node-opcua-certificate-manager');
const {EUInformation} = require('node-opcua-types');
const {nodesets} = require('node-opcua-nodesets');

const URI = 'urn:culvert:peer';
const options = JSON.parse(process.argv[2] || '{}');

let server;
// Who knows the certificates that users come with: none by itself.
let users;
let port = options.port || 0;
let nodes = {};

/** Scalars of every built-in type that a variable can have. */
const VALUES = {
  Boolean: true,
  SByte: -128,
  Byte: 255,
  Int16: -32768,
  UInt16: 65535,
  Int32: -2147483648,
  UInt32: 4294967295,
  Int64: [0x80000000, 0],
  UInt64: [0xFFFFFFFF, 0xFFFFFFFF],
  Float: 1.5,
  Double: -0.1,
  String: '水位 ☃',
  DateTime: new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 789)),
  Guid: '72962B91-FA75-4AE6-8D28-B404DC7DAF63',
  ByteString: Buffer.from([0, 127, 128, 255]),
  XmlElement: '<a>b</a>',
  NodeId: null,
  ExpandedNodeId: null,
  StatusCode: StatusCodes.UncertainSensorNotAccurate,
  QualifiedName: null,
  LocalizedText: null,
};

function variable(ns, parent, name, dataType, value, more) {
  const type = value.dataType || DataType[dataType];
  const node = ns.addVariable({
    organizedBy: parent,
    browseName: name,
    nodeId: 's=' + name,
    dataType,
    minimumSamplingInterval: 0,
    ...more,
  });
  const given = {dataType: type, arrayType: VariantArrayType.Scalar, ...value};
  node.setValueFromSource(given, StatusCodes.Good);
  nodes[name] = {node, dataType: type};
  return node;
}

function build() {
  nodes = {};
  const space = server.engine.addressSpace;
  const ns = space.getNamespace(URI);
  const objects = space.rootFolder.objects;
  const folder = (parent, name) =>
    ns.addFolder(parent, {browseName: name, nodeId: 's=' + name});

  const types = folder(objects, 'Types');
  const values = {
    ...VALUES,
    NodeId: resolveNodeId('ns=' + ns.index + ';s=Double'),
    ExpandedNodeId: new ExpandedNodeId(2, 'Double', ns.index, null, 0),
    QualifiedName: new QualifiedName({namespaceIndex: ns.index, name: 'Q'}),
    LocalizedText: new LocalizedText({locale: 'de', text: 'Pegel'}),
  };
  for (const [name, value] of Object.entries(values)) {
    variable(ns, types, name, name, {value});
    if (!['XmlElement', 'ExpandedNodeId'].includes(name)) {
      variable(
        ns,
        types,
        name + 'Array',
        name,
        {arrayType: VariantArrayType.Array, value: [value, value]},
        {valueRank: 1, arrayDimensions: [0]});
    }
  }
  variable(ns, types, 'Matrix', 'Double',
    {arrayType: VariantArrayType.Matrix, dimensions: [2, 3], value: [1, 2, 3, 4, 5, 6]},
    {valueRank: 2, arrayDimensions: [2, 3]});
  structures(ns, types, space);

  const control = folder(objects, 'Control');
  variable(ns, control, 'Setpoint', 'Double', {value: 20});
  variable(ns, control, 'Count', 'UInt16', {value: 7});
  variable(ns, control, 'Text', 'String', {value: ''});
  variable(ns, control, 'ReadOnly', 'Int32', {value: 5}, {accessLevel: 'CurrentRead'});
  const pump = ns.addObject({organizedBy: control, browseName: 'Pump', nodeId: 's=Pump'});
  const add = ns.addMethod(pump, {
    browseName: 'Scale',
    nodeId: 's=Scale',
    inputArguments: [
      {name: 'factor', dataType: DataType.Double, description: 'factor'},
      {name: 'offset', dataType: DataType.Int32, description: 'offset'},
    ],
    outputArguments: [{name: 'result', dataType: DataType.Double, description: 'result'}],
  });
  add.bindMethod((inputs, context, done) => {
    if (inputs[0].value < 0) {
      return done(null, {statusCode: StatusCodes.BadOutOfRange});
    }
    const result = 10 * inputs[0].value + inputs[1].value;
    nodes.Setpoint.node.setValueFromSource({dataType: DataType.Double, value: result});
    done(null, {
      statusCode: StatusCodes.Good,
      outputArguments: [{dataType: DataType.Double, value: result}],
    });
  });

  const analog = folder(objects, 'Analog');
  const level = ns.addAnalogDataItem({
    organizedBy: analog,
    browseName: 'Level',
    nodeId: 's=Level',
    dataType: 'Double',
    engineeringUnitsRange: {low: 0, high: 100},
    engineeringUnits: new EUInformation({
      namespaceUri: 'http://www.opcfoundation.org/UA/units/un/cefact',
      unitId: 5067858,
      displayName: 'm',
      description: 'metre',
    }),
    minimumSamplingInterval: 0,
  });
  level.setValueFromSource({dataType: DataType.Double, value: 10});
  nodes.Level = {node: level, dataType: DataType.Double};

  const kept = folder(objects, 'Kept');
  const past = variable(ns, kept, 'Past', 'Int32', {value: 0},
    {accessLevel: 'CurrentRead | HistoryRead | CurrentWrite'});
  space.installHistoricalDataNode(past, {maxOnlineValues: 100000});

  const counters = folder(objects, 'Counters');
  for (let i = 0; i < (options.nodes || 0); i++) {
    variable(ns, counters, 'C' + i, 'UInt32', {value: 0});
  }

  alarms(ns, objects, space);
}

/** Those of types.xml. */
function structures(ns, types, space) {
  const flow = ns.findDataType('Flow');
  const pair = ns.findDataType('Pair');
  const one = {rate: 2.5, counts: [1, 2, 3], note: {text: 'ok'}, mode: 2};
  const structure = (name, type, fields) => {
    variable(ns, types, name, type.nodeId, {
      dataType: DataType.ExtensionObject,
      value: space.constructExtensionObject(type, fields),
    });
  };
  structure('Flow', flow, one);
  structure('Pair', pair, {up: one, down: {...one, rate: -1}});
  variable(ns, types, 'Mode', ns.findDataType('Mode').nodeId, {dataType: DataType.Int32, value: 1});
}

function alarms(ns, objects, space) {
  space.installAlarmsAndConditionsService();
  const tank = ns.addObject({
    organizedBy: objects,
    browseName: 'Tank',
    nodeId: 's=Tank',
    notifierOf: space.rootFolder.objects.server,
    eventNotifier: 1,
  });
  const level = ns.addVariable({
    componentOf: tank,
    browseName: 'TankLevel',
    nodeId: 's=TankLevel',
    dataType: 'Double',
    eventSourceOf: tank,
    minimumSamplingInterval: 0,
  });
  level.setValueFromSource({dataType: DataType.Double, value: 50});
  nodes.TankLevel = {node: level, dataType: DataType.Double};
  ns.instantiateExclusiveLimitAlarm('ExclusiveLimitAlarmType', {
    browseName: 'TankAlarm',
    nodeId: 's=TankAlarm',
    organizedBy: tank,
    conditionSource: level,
    inputNode: level,
    highHighLimit: 90,
    highLimit: 80,
    lowLimit: 20,
    lowLowLimit: 10,
    optionals: ['ConfirmedState', 'Confirm'],
  });
}

async function start() {
  const pki = path.resolve(options.pki || '.');
  const certificates = new OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: true,
    rootFolder: pki,
  });
  await certificates.initialize();
  users = new OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: false,
    rootFolder: path.join(pki, 'users'),
  });
  await users.initialize();
  server = new OPCUAServer({
    port,
    host: '127.0.0.1',
    hostname: '127.0.0.1',
    serverInfo: {applicationUri: 'urn:culvert:peer:server'},
    serverCertificateManager: certificates,
    userCertificateManager: users,
    securityPolicies: options.security
      ? [
        SecurityPolicy.Basic256Sha256,
        SecurityPolicy.Aes128_Sha256_RsaOaep,
        SecurityPolicy.Aes256_Sha256_RsaPss,
      ]
      : [SecurityPolicy.None],
    securityModes: options.security
      ? [MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt]
      : [MessageSecurityMode.None],
    allowAnonymous: !options.users,
    userManager: {
      isValidUser: (user, password) => (options.users || {})[user] === password,
    },
    nodeset_filename: [nodesets.standard, path.join(__dirname, 'types.xml')],
    maxConnectionsPerEndpoint: 100,
    serverCapabilities: {
      maxSessions: 100,
      maxSubscriptions: 1000,
      maxSubscriptionsPerSession: 100,
      maxMonitoredItems: 200000,
      maxMonitoredItemsPerSubscription: options.maxItems || 100000,
      operationLimits: {...options.limits},
    },
    isAuditing: false,
  });
  await server.initialize();
  build();
  await server.start();
  port = server.endpoints[0].port;
}

function sessions() {
  return Object.values(server.engine._sessions);
}

function value(known, given) {
  return known.dataType === DataType.DateTime ? new Date(given) : given;
}

const COMMANDS = {
  /** Sets a variable; status by its number, time in milliseconds. */
  set({node, value: given, status, time}) {
    const known = nodes[node];
    const arrayType = Array.isArray(given) ? VariantArrayType.Array : VariantArrayType.Scalar;
    known.node.setValueFromSource(
      {dataType: known.dataType, arrayType, value: value(known, given)},
      status === undefined ? StatusCodes.Good : coded(status),
      time === undefined ? new Date() : new Date(time));
  },

  get({node}) {
    const data = nodes[node].node.readValue();
    return {value: data.value.value, status: data.statusCode.value};
  },

  /** Steps all counters: times, milliseconds between. Answers when all are set. */
  pulse({times, every, from}) {
    return new Promise(done => {
      const names = Object.keys(nodes).filter(name => /^C\d+$/.test(name));
      let step = from || 0;
      const last = step + times;
      const timer = setInterval(() => {
        step++;
        const now = new Date();
        for (const name of names) {
          nodes[name].node.setValueFromSource(
            {dataType: DataType.UInt32, value: step}, StatusCodes.Good, now);
        }
        if (step === last) {
          clearInterval(timer);
          done(step);
        }
      }, every);
    });
  },

  /** Knows a user by a certificate, in Base64, from now on. */
  async trust({certificate}) {
    await users.trustCertificate(Buffer.from(certificate, 'base64'));
  },

  /** Goes away, with all it knew of sessions and subscriptions. */
  async stop() {
    await server.shutdown(0);
    server = undefined;
  },

  /** Comes back at the same port. */
  async start() {
    await start();
    return port;
  },

  /** Closes every connection without a word; sessions and subscriptions stay. */
  cut() {
    server.endpoints.forEach(endpoint => endpoint.abruptlyInterruptChannels());
  },

  /** Forgets all sessions, and their subscriptions if wanted. */
  forget({subscriptions}) {
    for (const session of sessions()) {
      server.engine.closeSession(session.authenticationToken, subscriptions, 'Forcing');
    }
  },

  /** Drops the subscriptions of all sessions, which stay. */
  drop() {
    for (const session of sessions()) {
      for (const subscription of [...session.publishEngine.subscriptions]) {
        subscription.terminate();
        subscription.dispose();
      }
    }
  },

  /** What it is asked for just now. */
  counts() {
    return {
      sessions: sessions().length,
      channels: server.endpoints[0].getChannels().length,
      subscriptions: server.engine.currentSubscriptionCount,
      items: sessions().flatMap(session => session.publishEngine.subscriptions)
        .reduce((sum, subscription) => sum + subscription.monitoredItemCount, 0),
    };
  },
};

function coded(number) {
  return Object.values(StatusCodes).find(code => code.value === number) ||
    StatusCode.makeStatusCode(StatusCodes.Good, '');
}

function say(answer) {
  process.stdout.write(JSON.stringify(answer, (key, v) => typeof v === 'bigint' ? `${v}` : v) + '\n');
}

start().then(() => say({ready: port}), failed => {
  process.stderr.write(failed.stack + '\n');
  process.exit(1);
});

readline.createInterface({input: process.stdin})
  .on('line', async line => {
    const command = JSON.parse(line);
    try {
      const ok = await COMMANDS[command.do](command);
      say({id: command.id, ok: ok === undefined ? null : ok});
    } catch (failed) {
      say({id: command.id, error: failed.stack});
    }
  })
  // The test has ended, one way or the other.
  .on('close', () => process.exit(0));
