#include "actors/plan/delivery.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view because = "because ";

/// What stands behind `at least once, because`.
std::string reason_of(const std::string& promise) {
  const std::size_t at = promise.find(because);
  return at == std::string::npos ? promise : promise.substr(at + because.size());
}

std::string bound_text(const transaction_bound& bound) {
  std::string text = bound.bytes == 0 ? "" : bytes_text(bound.bytes);
  if (bound.rows != 0) {
    text += fmt::format("{}{} records", text.empty() ? "" : " or ", with_thousands(bound.rows));
  }
  return text;
}

std::string interval_text(const commit_limits& marks) {
  return fmt::format(
      "about {} or {} records (and the batch at hand), or what comes in {}, whichever is first",
      bytes_text(marks.bytes), with_thousands(marks.rows),
      duration_text(std::chrono::duration<double>(marks.interval).count()));
}

/// `about 5,000,000 records`, as far as it is known; empty where it is not.
std::string size_text(const split_size& s) {
  if (s.records_exact) {
    return with_thousands(*s.records_exact) + " records";
  }
  return s.bytes_estimate ? "about " + bytes_text(*s.bytes_estimate) : std::string();
}

bool is_above(const split_size& s, const transaction_bound& bound) {
  return (bound.rows != 0 && s.records_exact.value_or(0) > bound.rows) ||
         (bound.bytes != 0 && s.bytes_estimate.value_or(0) > bound.bytes);
}

bool is_known_within(const split_size& s, const transaction_bound& bound) {
  return !is_above(s, bound) && (bound.rows == 0 || s.records_exact) &&
         (bound.bytes == 0 || s.bytes_estimate);
}

std::string largest_text(const std::vector<split_size>& splits) {
  std::uint64_t most = 0;
  for (const split_size& s : splits) {
    most = std::max(most, s.bytes_estimate.value_or(0));
  }
  return most == 0 ? std::string() : fmt::format(": up to about {}", bytes_text(most));
}

/// What becomes of a split that was committed in parts and is read again.
std::string repeated_text(bool same_again) {
  return same_again
             ? "the rows of one that is interrupted are written once more, which leaves the table as it is"
             : "the rows of one that is interrupted are written once more when it is read again, and may be "
               "there "
               "twice";
}

}  // namespace

std::optional<error> delivery_failure(const job& what, const source_description& from,
                                      const target_description& to) {
  const delivery_settings& asked = what.delivery;
  if (asked.mode != delivery_mode::exactly_once) {
    return std::nullopt;
  }
  const auto refused = [&](std::string_view end, const std::string& place, const std::string& why,
                           std::string_view cure) {
    return error{
        error_kind::bad_option,
        fmt::format("{}: \"exactly_once\" cannot be kept: the {} ({}) is at fault, because {}; {}, or set "
                    "\"delivery\" to \"auto\" to have what it can promise",
                    asked.mode_place, end, place, why, cure),
        "delivery", false};
  };
  if (!to.exactly_once) {
    return refused(
        "destination", what.writer.place, reason_of(to.promise),
        "write to a destination that keeps marks, a database or plain files on a disk of this machine");
  }
  if (!to.promise_gap.empty()) {
    return refused("destination", what.writer.place, to.promise_gap, "write into another table");
  }
  if (from.resumable && !from.repeatable) {
    return refused("source", what.reader.place,
                   "reading a part of it again does not give the same records in the same order",
                   "read it through a statement with an order");
  }
  return std::nullopt;
}

bool may_repeat(const delivery_settings& asked, const target_description& to) {
  return to.same_again || asked.mode == delivery_mode::at_least_once;
}

delivery_choice choose_delivery(const delivery_settings& asked, const source_description& from,
                                const target_description& to, const std::vector<split_size>& splits,
                                const commit_limits& marks) {
  delivery_choice choice;
  choice.promise = to.promise;
  choice.bound = to.whole_split_max;
  choice.may_repeat = may_repeat(asked, to);
  if (!to.exactly_once) {
    choice.remembers = to.rows_stand;
    choice.whole = to.rows_stand ? whole_splits::in_parts : whole_splits::one_transaction;
    choice.transaction = to.rows_stand ? interval_text(marks) : "none: the output appears whole at the end";
    return choice;
  }
  if (from.resumable) {
    choice.exactly_once = true;
    choice.transaction = interval_text(marks);
    return choice;
  }
  const bool bounded = to.whole_split_max != transaction_bound{};
  if (!bounded || asked.mode == delivery_mode::exactly_once) {
    choice.exactly_once = true;
    choice.transaction = fmt::format("a whole split{}, because the reader cannot begin inside one{}",
                                     bounded ? ", however large" : "", largest_text(splits));
    if (bounded) {
      choice.transaction +=
          fmt::format(" (the job asks for exactly_once; else at most {})", bound_text(to.whole_split_max));
    }
    return choice;
  }
  if (asked.mode == delivery_mode::at_least_once) {
    choice.whole = whole_splits::in_parts;
    choice.promise = fmt::format(
        "at least once, because the job asks for no more and the reader cannot begin inside "
        "a split: {}",
        repeated_text(to.same_again));
    choice.transaction = interval_text(marks);
    return choice;
  }
  const std::string bound = bound_text(to.whole_split_max);
  choice.whole = whole_splits::up_to_bound;
  const auto above = std::find_if(splits.begin(), splits.end(),
                                  [&](const split_size& s) { return is_above(s, to.whole_split_max); });
  const bool all_within =
      !splits.empty() && std::all_of(splits.begin(), splits.end(), [&](const split_size& s) {
        return is_known_within(s, to.whole_split_max);
      });
  if (above != splits.end()) {
    choice.promise = fmt::format(
        "at least once, because the reader cannot begin inside a split, and {} has {}: more than {}, which a "
        "transaction of the destination is to hold at most; {}. \"delivery\": \"exactly_once\" makes it one "
        "transaction",
        above->label.empty() ? "one" : escaped(above->label), size_text(*above), bound,
        repeated_text(to.same_again));
  } else if (!all_within) {
    choice.promise = fmt::format(
        "{}, as long as no split has more than {}: each is one transaction, because the reader cannot begin "
        "inside it. One that has more, which is not known, is committed in parts beyond that and at least "
        "once: "
        "{}. \"delivery\": \"exactly_once\" makes it one transaction",
        to.promise, bound, repeated_text(to.same_again));
  }
  choice.exactly_once = all_within;
  choice.transaction = fmt::format(
      "a whole split of at most {}, because the reader cannot begin inside one{}; "
      "beyond that in parts",
      bound, largest_text(splits));
  return choice;
}

}  // namespace sluice
