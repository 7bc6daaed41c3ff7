#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "jobspec/datasource.h"
#include "plugins/api/connection_test.h"
#include "transport/base/stop.h"

namespace sluice {

/// A server as a data source names it.
struct network_place {
  std::string host;  ///< A name or an address, IPv6 without brackets.
  std::uint16_t port = 0;
  friend bool operator==(const network_place&, const network_place&) = default;
};

/// The servers that a data source leads to, of all its keys that name one; empty where none can be told
/// (another form of address, or one that follows from the cloud's region). A port that is not written is that
/// of the address's scheme.
std::vector<network_place> network_places_of(const datasource& source);

/// The first steps of a connection: name resolution of all places, then a TCP connection to each, which is
/// closed at once; nothing is sent. Each look-up and each connection may take `each_max`. After a step that
/// failed no other follows. Blocks.
std::vector<connection_step> probe_network(const std::vector<network_place>& places,
                                           std::chrono::milliseconds each_max, const stop_signal& stop);

}  // namespace sluice
