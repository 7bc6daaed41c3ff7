#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// A time zone by its rules. Immutable, shared between threads. Source: the system's IANA database.
class time_zone {
 public:
  /// `Europe/Berlin`, `UTC`, `GMT+8`, `+08:00`, `PRC`; `bad_option` with near names where unknown.
  static result<std::shared_ptr<const time_zone>> find(std::string_view name);
  virtual ~time_zone() = default;

  [[nodiscard]] const std::string& name() const { return name_; }

  enum class wall_kind { unique, missing, twice };
  struct wall_answer {
    wall_kind kind;
    std::int64_t utc_seconds;  ///< Meaningful only where `unique`.
  };
  /// Seconds since 1970-01-01 00:00:00 on this zone's wall clock to seconds since the epoch UTC.
  [[nodiscard]] virtual wall_answer to_utc(std::int64_t wall_seconds) const = 0;
  /// Seconds since the epoch UTC to this zone's wall clock.
  [[nodiscard]] virtual std::int64_t to_wall(std::int64_t utc_seconds) const = 0;

 protected:
  explicit time_zone(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

using time_zone_ptr = std::shared_ptr<const time_zone>;

}  // namespace sluice
