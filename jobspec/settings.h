#pragma once

#include <cstdint>
#include <optional>

#include "jobspec/findings.h"
#include "jobspec/job.h"
#include "jobspec/job_shape.h"

namespace sluice {

/// The settings of a file in either dialect: fills errors, speed, expect, delivery, formats and time zone of
/// `to`. What is wrong or odd is a finding.
void read_settings(const job_shape& shape, job& to, findings& out);

/// What DataX's arithmetic starts from (job-formats 6.4); not positive counts as not given.
struct datax_speed {
  std::int64_t channel = 0;
  std::int64_t byte = 0;
  std::int64_t record = 0;
  std::int64_t channel_byte = 0;    ///< `core.transport.channel.speed.byte`
  std::int64_t channel_record = 0;  ///< `core.transport.channel.speed.record`
};

/// DataX's arithmetic: the number of channels, and the limits of the whole job, which are channels times the
/// limit of one. `message` says what is missing where the file does not give a speed.
struct datax_speed_answer {
  std::uint64_t channels = 0;
  std::string reason;
  std::optional<std::uint64_t> bytes_per_second;
  std::optional<std::uint64_t> records_per_second;
  std::string message;
};
datax_speed_answer datax_arithmetic(const datax_speed& asked);

}  // namespace sluice
