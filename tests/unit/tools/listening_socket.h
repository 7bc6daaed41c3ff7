#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

/// Sockets of this machine, on ports that the system chooses.
namespace sluice::testing {

/// Listens on the loopback address of `family` (AF_INET or AF_INET6) while it lives.
class listening_socket {
 public:
  explicit listening_socket(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage address{};
    socklen_t size = 0;
    if (family == AF_INET) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(address);
      v4.sin_family = AF_INET;
      v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof v4;
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
      v6.sin6_family = AF_INET6;
      v6.sin6_addr = in6addr_loopback;
      size = sizeof v6;
    }
    works_ = fd_ >= 0 && ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
             ::listen(fd_, 8) == 0 && ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    // The port stands at the same place of both.
    port_ = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
  }
  ~listening_socket() { ::close(fd_); }
  listening_socket(const listening_socket&) = delete;
  listening_socket& operator=(const listening_socket&) = delete;

  /// False where the machine has no such addresses.
  [[nodiscard]] bool works() const { return works_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int fd_;
  bool works_ = false;
  std::uint16_t port_ = 0;
};

/// A port that was free a moment ago.
inline std::uint16_t closed_port(int family) {
  return listening_socket(family).port();
}

}  // namespace sluice::testing
