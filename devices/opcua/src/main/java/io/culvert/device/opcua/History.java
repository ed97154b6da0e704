package io.culvert.device.opcua;
