#include "plugins/postgresql/postgresql_numeric.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "plugins/postgresql/postgresql_bytes.h"

namespace sluice::postgresql {
namespace {

constexpr std::size_t header_bytes = 8;
constexpr int group_digits = 4;  // DEC_DIGITS
constexpr unsigned group_base = 10'000;

// NUMERIC_POS and its kin.
constexpr std::uint16_t sign_positive = 0x0000;
constexpr std::uint16_t sign_negative = 0x4000;
constexpr std::uint16_t sign_nan = 0xC000;
constexpr std::uint16_t sign_infinity = 0xD000;
constexpr std::uint16_t sign_minus_infinity = 0xF000;

// NUMERIC_WEIGHT_MAX in groups and NUMERIC_DSCALE_MAX; beyond, numeric_recv refuses.
constexpr std::int64_t digits_before_point_max = 131'072;
constexpr std::int64_t digits_behind_point_max = 16'383;
constexpr std::uint16_t shown_digits_mask = 0x3FFF;

struct header {
  unsigned groups = 0;
  int weight = 0;
  std::uint16_t sign = 0;
  unsigned shown = 0;

  [[nodiscard]] bool is_finite() const { return sign == sign_positive || sign == sign_negative; }
};

std::optional<header> read_header(std::string_view bytes) {
  if (bytes.size() < header_bytes) {
    return std::nullopt;
  }
  header h;
  h.groups = read_big<std::uint16_t>(bytes.data());
  h.weight = static_cast<std::int16_t>(read_big<std::uint16_t>(bytes.data() + 2));
  h.sign = read_big<std::uint16_t>(bytes.data() + 4);
  h.shown = read_big<std::uint16_t>(bytes.data() + 6);
  const bool known =
      h.is_finite() || h.sign == sign_nan || h.sign == sign_infinity || h.sign == sign_minus_infinity;
  if (!known || bytes.size() != header_bytes + std::size_t{2} * h.groups || h.shown > shown_digits_mask) {
    return std::nullopt;
  }
  for (unsigned i = 0; i < h.groups; ++i) {
    if (read_big<std::uint16_t>(bytes.data() + header_bytes + std::size_t{2} * i) >= group_base) {
      return std::nullopt;
    }
  }
  return h;
}

unsigned group_at(std::string_view bytes, unsigned index) {
  return read_big<std::uint16_t>(bytes.data() + header_bytes + std::size_t{2} * index);
}

int digits_of_group(unsigned group) {
  return group >= 1000 ? 4 : group >= 100 ? 3 : group >= 10 ? 2 : 1;
}

std::byte* write_header(std::size_t groups, int weight, std::uint16_t sign, unsigned shown, std::byte* to) {
  to = write_big(static_cast<std::uint16_t>(groups), to);
  to = write_big(static_cast<std::uint16_t>(weight), to);
  to = write_big(sign, to);
  return write_big(static_cast<std::uint16_t>(shown), to);
}

/// As `write_numeric`, of a number that fills at most four groups of digits: no branch depends on it.
std::byte* write_four_groups(std::uint64_t in_groups, unsigned behind, std::uint16_t sign, unsigned scale,
                             std::byte* to) {
  constexpr int four = 4;
  constexpr int bits = 16;
  const std::uint64_t high = in_groups / (group_base * group_base);
  const std::uint64_t low = in_groups % (group_base * group_base);
  const std::uint64_t groups = high / group_base << 3 * bits | high % group_base << 2 * bits |
                               low / group_base << bits | low % group_base;
  const int first = std::countl_zero(groups) / bits;  // four zeros in front of nothing
  const int last = std::countr_zero(groups) / bits;
  const int kept = groups == 0 ? 0 : four - first - last;
  const int weight = groups == 0 ? 0 : four - 1 - first - static_cast<int>(behind);
  to = write_header(static_cast<std::size_t>(kept), weight, sign, scale, to);
  write_big(groups << (first * bits & 63), to);
  return to + std::size_t{2} * static_cast<unsigned>(kept);
}

/// What write_numeric gathers, the last group first.
struct group_list {
  std::array<std::uint16_t, 12> groups;
  unsigned count = 0;
  unsigned trailing_zeros = 0;  // of the groups so far, none other than 0 before them

  void push(unsigned group) {
    if (group == 0 && count == trailing_zeros) {
      ++trailing_zeros;
    }
    groups[count++] = static_cast<std::uint16_t>(group);
  }
};

template <class Unsigned>
void push_groups(Unsigned v, group_list& to) {
  while (v != 0) {
    to.push(static_cast<unsigned>(v % group_base));
    v /= group_base;
  }
}

/// The digits behind the point of a number's text, and the exponent behind them.
std::int64_t shown_digits(std::string_view text, const number_parts& parts) {
  const std::size_t e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t point = mantissa.find('.');
  const auto behind =
      point == std::string_view::npos ? 0 : static_cast<std::int64_t>(mantissa.size() - point - 1);
  if (e == std::string_view::npos) {
    return behind;
  }
  // The exponent itself may have any number of digits: it follows from where the first digit stands.
  const std::int64_t needed = static_cast<std::int64_t>(parts.digits()) - parts.point;
  if (parts.digits() == 0) {
    return std::min<std::int64_t>(behind, digits_behind_point_max);
  }
  return std::max<std::int64_t>(0, needed);
}

}  // namespace

parsed<int128> read_numeric(std::string_view bytes, unsigned scale) {
  const auto found = read_header(bytes);
  if (!found) {
    return refuse(dirty_code::wrong_type);
  }
  const header& h = *found;
  if (!h.is_finite()) {
    return refuse(dirty_code::not_finite);
  }
  unsigned first = 0;
  while (first < h.groups && group_at(bytes, first) == 0) {
    ++first;
  }
  if (first == h.groups) {
    return {0};
  }
  const int first_weight = h.weight - static_cast<int>(first);
  constexpr int digits_max = 38;
  if (group_digits * first_weight + digits_of_group(group_at(bytes, first)) + static_cast<int>(scale) >
      digits_max) {
    return refuse(dirty_code::out_of_range);
  }
  // The power of ten of the last digit of a group at `scale`.
  int exponent = group_digits * first_weight + static_cast<int>(scale);
  std::uint64_t low = 0;
  int128 value = 0;
  bool is_small = true;
  for (unsigned i = first; i < h.groups; ++i, exponent -= group_digits) {
    unsigned group = group_at(bytes, i);
    unsigned base = group_base;
    if (exponent < 0) {
      if (exponent <= -group_digits) {
        if (group != 0) {
          return refuse(dirty_code::too_precise);
        }
        continue;
      }
      const auto cut = static_cast<unsigned>(power_of_ten(static_cast<unsigned>(-exponent)));
      if (group % cut != 0) {
        return refuse(dirty_code::too_precise);
      }
      group /= cut;
      base /= cut;
    }
    // Four groups are below 10^16, so that a fifth still fits 64 bits as long as the whole stays below 10^19.
    if (is_small && i - first >= 4) {
      is_small = false;
      value = static_cast<int128>(low);
    }
    if (is_small) {
      low = low * base + group;
    } else {
      value = value * base + group;
    }
  }
  if (is_small) {
    value = static_cast<int128>(low);
  }
  exponent += group_digits;  // of the last group
  if (exponent > 0) {
    value *= power_of_ten(static_cast<unsigned>(exponent));
  }
  return {h.sign == sign_negative ? -value : value};
}

bool append_numeric_text(std::string_view bytes, std::string& to) {
  const auto found = read_header(bytes);
  if (!found) {
    return false;
  }
  const header& h = *found;
  if (!h.is_finite()) {
    to += h.sign == sign_nan ? "NaN" : h.sign == sign_infinity ? "Infinity" : "-Infinity";
    return true;
  }
  const auto group = [&](int weight) -> unsigned {
    const int index = h.weight - weight;
    return index < 0 || index >= static_cast<int>(h.groups) ? 0
                                                            : group_at(bytes, static_cast<unsigned>(index));
  };
  const auto put_group = [&](unsigned v, int from, int count) {
    const std::array<char, group_digits> digits = {
        static_cast<char>('0' + v / 1000), static_cast<char>('0' + v / 100 % 10),
        static_cast<char>('0' + v / 10 % 10), static_cast<char>('0' + v % 10)};
    to.append(digits.data() + from, static_cast<std::size_t>(count));
  };
  if (h.sign == sign_negative) {
    to += '-';
  }
  int weight = h.groups == 0 ? -1 : h.weight;
  while (weight > 0 && group(weight) == 0) {
    --weight;
  }
  if (weight < 0) {
    to += '0';
  } else {
    const unsigned first = group(weight);
    put_group(first, group_digits - digits_of_group(first), digits_of_group(first));
    for (--weight; weight >= 0; --weight) {
      put_group(group(weight), 0, group_digits);
    }
  }
  if (h.shown != 0) {
    to += '.';
    int left = static_cast<int>(h.shown);
    for (weight = -1; left > 0; --weight, left -= group_digits) {
      put_group(group(weight), 0, std::min(left, group_digits));
    }
  }
  return true;
}

std::byte* write_numeric(int128 unscaled, unsigned scale, std::byte* to) {
  const std::uint16_t sign = unscaled < 0 ? sign_negative : sign_positive;
  const uint128 whole = unscaled < 0 ? -static_cast<uint128>(unscaled) : static_cast<uint128>(unscaled);
  // Filled up to whole groups, the last digits behind the point are some of a group's.
  constexpr std::array<std::uint64_t, group_digits> fill = {1, 1000, 100, 10};
  constexpr std::uint64_t four_groups_end = 10'000'000'000'000'000;
  if (whole < four_groups_end / fill[scale % group_digits]) {
    return write_four_groups(static_cast<std::uint64_t>(whole) * fill[scale % group_digits],
                             (scale + group_digits - 1) / group_digits, sign, scale, to);
  }
  group_list list;
  // The last digits behind the point that do not fill a group of four, filled up with zeros.
  const unsigned odd = scale % group_digits;
  const unsigned behind = (scale + group_digits - 1) / group_digits;
  const auto push_all = [&list, odd](auto v) {
    // Divisors that are known cost a multiplication.
    switch (odd) {
      case 1:
        list.push(static_cast<unsigned>(v % 10U) * 1000U);
        return push_groups(v / 10U, list);
      case 2:
        list.push(static_cast<unsigned>(v % 100U) * 100U);
        return push_groups(v / 100U, list);
      case 3:
        list.push(static_cast<unsigned>(v % 1000U) * 10U);
        return push_groups(v / 1000U, list);
      default:
        return push_groups(v, list);
    }
  };
  if (whole <= ~std::uint64_t{0}) {
    push_all(static_cast<std::uint64_t>(whole));
  } else {
    push_all(whole);
  }
  unsigned count = list.count;
  while (count != 0 && list.groups[count - 1] == 0) {
    --count;  // only of a fraction whose first group is 0
  }
  const unsigned kept = count - std::min(count, list.trailing_zeros);
  const int weight = kept == 0 ? 0 : static_cast<int>(count) - 1 - static_cast<int>(behind);
  to = write_header(kept, weight, sign, scale, to);
  for (unsigned i = 0; i < kept; ++i) {
    to = write_big(list.groups[count - 1 - i], to);
  }
  return to;
}

dirty_code append_numeric(std::string_view text, const numeric_limits& limits, std::string& to) {
  const auto number = split_number(text);
  if (!number.ok()) {
    return number.code;
  }
  const number_parts& parts = number.value;
  std::array<std::byte, header_bytes> head;
  const auto put_head = [&](std::size_t groups, int weight, std::uint16_t sign, unsigned shown) {
    write_header(groups, weight, sign, shown, head.data());
    to.append(reinterpret_cast<const char*>(head.data()), head.size());
  };
  if (parts.what == number_parts::form::nan) {
    put_head(0, 0, sign_nan, 0);
    return dirty_code::none;
  }
  if (parts.what == number_parts::form::infinity) {
    if (limits.precision != 0) {
      return dirty_code::not_finite;  // as the server has it: an infinity has no precision
    }
    put_head(0, 0, parts.negative ? sign_minus_infinity : sign_infinity, 0);
    return dirty_code::none;
  }
  const auto digits = static_cast<std::int64_t>(parts.digits());
  if (limits.precision != 0 && digits != 0) {
    if (digits - parts.point > limits.scale) {
      return dirty_code::too_precise;
    }
    if (parts.point > limits.precision - limits.scale) {
      return dirty_code::out_of_range;
    }
  }
  if (digits != 0 && parts.point > digits_before_point_max) {
    return dirty_code::out_of_range;
  }
  if (digits - parts.point > digits_behind_point_max && digits != 0) {
    return dirty_code::too_precise;
  }
  const auto shown =
      static_cast<unsigned>(std::min<std::int64_t>(shown_digits(text, parts), digits_behind_point_max));
  if (digits == 0) {
    put_head(0, 0, sign_positive, shown);
    return dirty_code::none;
  }
  const auto digit_at = [&](std::int64_t i) -> unsigned {
    if (i < 0 || i >= digits) {
      return 0;
    }
    const auto at = static_cast<std::size_t>(i);
    return static_cast<unsigned>(
        (at < parts.head.size() ? parts.head[at] : parts.tail[at - parts.head.size()]) - '0');
  };
  // The first digit stands for 10^(point - 1).
  const std::int64_t top = parts.point - 1;
  const std::int64_t weight = top >= 0 ? top / group_digits : -((-top + group_digits - 1) / group_digits);
  const std::int64_t lead = group_digits - 1 - (top - weight * group_digits);
  const std::int64_t groups = (lead + digits + group_digits - 1) / group_digits;
  put_head(static_cast<std::size_t>(groups), static_cast<int>(weight),
           parts.negative ? sign_negative : sign_positive, shown);
  for (std::int64_t g = 0; g < groups; ++g) {
    unsigned v = 0;
    for (std::int64_t i = 0; i < group_digits; ++i) {
      v = v * 10 + digit_at(g * group_digits + i - lead);
    }
    std::array<std::byte, 2> two;
    write_big(static_cast<std::uint16_t>(v), two.data());
    to.append(reinterpret_cast<const char*>(two.data()), two.size());
  }
  return dirty_code::none;
}

}  // namespace sluice::postgresql
