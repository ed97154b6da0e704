/*
 * A Modbus slave on libmodbus, as an independent counterpart of the driver.
 *
 *   slave PORT      0 takes a free one; prints "listening on PORT" when it can be reached
 *   slave FILE UNIT RTU, 9600 8N1, one unit on a line that others may share
 *
 * Every unit answers alike, except unit 9, which stays silent, and that input register 0 shows the
 * number of the unit asked. Reading holding registers 150 or 151 is refused with exception 02, and
 * reading any block that begins at 300 + N with exception N, for N from 1 to 11. Units 21 to 23 do
 * not know some functions for writing: 22; 5 and 6; 15 and 16. Unit 24 has no more than 8 holding
 * registers for one request.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static void fill(modbus_mapping_t *map) {
  for (int i = 0; i < 2500; i++) {
    map->tab_bits[i] = i % 3 == 0;
    map->tab_input_bits[i] = i % 7 == 2;
  }
  for (int i = 0; i < 200; i++) {
    map->tab_input_registers[i] = 1000 + i;
  }
  uint16_t *h = map->tab_registers;
  h[0] = 1234;
  h[1] = 0xFFFE;
  h[2] = 0x8001; /* bits 15 and 0 */
  /* 0x12345678 and -2, high register first and low register first */
  MODBUS_SET_INT32_TO_INT16(h, 10, 0x12345678);
  MODBUS_SET_INT32_TO_INT16(h, 12, -2);
  h[14] = 0x5678;
  h[15] = 0x1234;
  /* -1234567890123456789 */
  MODBUS_SET_INT64_TO_INT16(h, 16, -1234567890123456789LL);
  /* 123456.789 is 47 F1 20 65. modbus_set_float_abcd() and its sisters of 3.1.6 write other
     orders than they are named after (stephane/libmodbus#358), so byte by byte: */
  h[20] = 0x47F1, h[21] = 0x2065; /* abcd */
  h[22] = 0x2065, h[23] = 0x47F1; /* cdab */
  h[24] = 0xF147, h[25] = 0x6520; /* badc */
  h[26] = 0x6520, h[27] = 0xF147; /* dcba */
  double pi = 3.141592653589793;
  int64_t raw;
  memcpy(&raw, &pi, sizeof raw);
  MODBUS_SET_INT64_TO_INT16(h, 30, raw);
  h[40] = 0x1234; /* BCD */
  h[41] = 0x434D, h[42] = 0x3500; /* CM5 */
  h[43] = 0x2611, h[44] = 0x2110, h[45] = 0x0318; /* 2026-11-21 10:03:18 in BCD */
  MODBUS_SET_INT64_TO_INT16(h, 46, 4611686018427387905LL);
  for (int i = 140; i < 165; i++) {
    h[i] = i;
  }
  h[65535] = 65535;
}

static int unknown(int unit, int function) {
  switch (unit) {
  case 21:
    return function == MODBUS_FC_MASK_WRITE_REGISTER;
  case 22:
    return function == MODBUS_FC_WRITE_SINGLE_COIL || function == MODBUS_FC_WRITE_SINGLE_REGISTER;
  case 23:
    return function == MODBUS_FC_WRITE_MULTIPLE_COILS ||
           function == MODBUS_FC_WRITE_MULTIPLE_REGISTERS;
  default:
    return 0;
  }
}

static int refused(const uint8_t *query, int offset) {
  int unit = query[offset - 1];
  int function = query[offset];
  if (unknown(unit, function)) {
    return MODBUS_EXCEPTION_ILLEGAL_FUNCTION;
  }
  int address = query[offset + 1] << 8 | query[offset + 2];
  int count = query[offset + 3] << 8 | query[offset + 4];
  if (function != MODBUS_FC_READ_HOLDING_REGISTERS) {
    return 0;
  }
  if (unit == 24 && count > 8) {
    return MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
  }
  if (address > 300 && address <= 311) {
    return address - 300;
  }
  return address <= 151 && address + count > 150 ? MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS : 0;
}

static void answer(modbus_t *ctx, modbus_mapping_t *map, const uint8_t *query, int length) {
  int offset = modbus_get_header_length(ctx);
  int exception = refused(query, offset);
  map->tab_input_registers[0] = query[offset - 1];
  if (exception != 0) {
    modbus_reply_exception(ctx, query, exception);
  } else {
    modbus_reply(ctx, query, length, map);
  }
}

static int serve_line(const char *file, int unit, modbus_mapping_t *map) {
  modbus_t *ctx = modbus_new_rtu(file, 9600, 'N', 8, 1);
  if (ctx == NULL || modbus_set_slave(ctx, unit) != 0 || modbus_connect(ctx) != 0) {
    fprintf(stderr, "slave: %s: %s\n", file, modbus_strerror(errno));
    return 1;
  }
  modbus_flush(ctx);
  printf("listening on 0\n");
  fflush(stdout);
  for (;;) {
    uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
    int received = modbus_receive(ctx, query);
    if (received > 0) {
      answer(ctx, map, query, received);
    } else if (received == -1 && errno != EMBBADCRC && errno != ETIMEDOUT && errno != EMBBADDATA &&
               errno != EMBBADEXC) {
      return 0; /* the line is gone */
    }
  }
}

int main(int argc, char **argv) {
  modbus_t *ctx = modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT);
  modbus_mapping_t *map = modbus_mapping_new(2500, 2500, 65536, 200);
  if (argc == 3 && map != NULL) {
    fill(map);
    return serve_line(argv[1], atoi(argv[2]), map);
  }
  if (argc != 2 || ctx == NULL || map == NULL) {
    fprintf(stderr, "slave: %s\n", modbus_strerror(errno));
    return 1;
  }
  fill(map);

  int server = socket(AF_INET, SOCK_STREAM, 0);
  int yes = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(server, (struct sockaddr *)&address, length) != 0 || listen(server, 16) != 0) {
    perror("slave");
    return 1;
  }
  getsockname(server, (struct sockaddr *)&address, &length);
  printf("listening on %d\n", ntohs(address.sin_port));
  fflush(stdout);

  int offset = modbus_get_header_length(ctx);
  fd_set all;
  FD_ZERO(&all);
  FD_SET(server, &all);
  int highest = server;
  for (;;) {
    fd_set ready = all;
    if (select(highest + 1, &ready, NULL, NULL, NULL) == -1) {
      perror("slave");
      return 1;
    }
    for (int fd = 0; fd <= highest; fd++) {
      if (!FD_ISSET(fd, &ready)) {
        continue;
      }
      if (fd == server) {
        int client = accept(server, NULL, NULL);
        FD_SET(client, &all);
        highest = client > highest ? client : highest;
        continue;
      }
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      modbus_set_socket(ctx, fd);
      int received = modbus_receive(ctx, query);
      if (received == -1) {
        close(fd);
        FD_CLR(fd, &all);
      } else if (received > 0 && query[offset - 1] != 9) {
        answer(ctx, map, query, received);
      }
    }
  }
}
