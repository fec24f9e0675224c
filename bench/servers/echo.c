/*
 * The floor: every datagram goes back with QR set, by recvmmsg and sendmmsg, up to 64 at a time. Argument: port of 127.0.0.1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define BATCH 64
#define MESSAGE_SIZE 4096
#define HEADER_SIZE 12
#define QR 0x80

static unsigned char octets[BATCH][MESSAGE_SIZE];
static struct sockaddr_in sources[BATCH];
static struct iovec buffers[BATCH];
static struct mmsghdr messages[BATCH];

static int fail(const char *what) {
  perror(what);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: echo PORT\n");
    return 2;
  }
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return fail("socket");

  /* So that a thousand queries under way find room; the kernel gives what net.core.rmem_max allows. */
  int buffer_size = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof buffer_size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof buffer_size);

  struct sockaddr_in own = {
    .sin_family = AF_INET,
    .sin_port = htons(atoi(argv[1])),
    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) return fail("bind");

  for (int i = 0; i < BATCH; i++) {
    buffers[i].iov_base = octets[i];
    messages[i].msg_hdr.msg_name = &sources[i];
    messages[i].msg_hdr.msg_iov = &buffers[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      buffers[i].iov_len = MESSAGE_SIZE;
      messages[i].msg_hdr.msg_namelen = sizeof sources[i];
    }
    /* Waits for the first alone, and takes with it what is there already. */
    int received = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (received < 0 && errno != EINTR) return fail("recvmmsg");
    for (int i = 0; i < received; i++) {
      buffers[i].iov_len = messages[i].msg_len;
      if (messages[i].msg_len >= HEADER_SIZE) octets[i][2] |= QR;
    }
    /* It may stop short; what it leaves over is lost, and counted so by who waits for it. */
    if (received > 0 && sendmmsg(fd, messages, received, 0) < 0) perror("sendmmsg");
  }
}
