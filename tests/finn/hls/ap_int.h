// As much of ap_uint as FINN's checksum hook needs, up to 128 bits, so that its source runs without Vitis HLS.
#pragma once

using wide = unsigned __int128;

template<unsigned N> class ap_uint {
	static_assert(N <= 128, "this stand-in holds 128 bits");
	wide bits = 0;

public:
	static constexpr unsigned width = N;
	static constexpr wide mask = N == 128 ? ~wide(0) : (wide(1) << N) - 1;

	ap_uint() = default;
	ap_uint(wide value) : bits(value & mask) {}
	template<unsigned M> ap_uint(ap_uint<M> const &other) : bits(wide(other) & mask) {}
	operator wide() const { return bits; }

	wide operator()(unsigned high, unsigned low) const {
		unsigned const count = high - low + 1;
		return (bits >> low) & (count == 128 ? ~wide(0) : (wide(1) << count) - 1);
	}
	bool operator[](unsigned at) const { return (bits >> at) & 1; }
	ap_uint &operator+=(wide value) { bits = (bits + value) & mask; return *this; }
	ap_uint &operator^=(wide value) { bits = (bits ^ value) & mask; return *this; }
	ap_uint operator++(int) { ap_uint const before = *this; *this += 1; return before; }
};

// Concatenation
template<unsigned A, unsigned B> ap_uint<A + B> operator,(ap_uint<A> const &high, ap_uint<B> const &low) {
	return ap_uint<A + B>((wide(high) << B) | wide(low));
}
