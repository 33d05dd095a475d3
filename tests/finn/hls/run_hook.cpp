// Runs FINN's checksum hook on beats from standard input (hexadecimal), FRAMES frames; prints its register after each.
#include <cstdio>
#include <iostream>
#include <string>

#include "checksum.hpp"

int main() {
	using T = ap_uint<LANES * BITS>;
	for(unsigned frame = 0; frame < FRAMES; frame++) {
		hls::stream<T> source, sink;
		for(unsigned beat = 0; beat < BEATS; beat++) {
			std::string text;
			std::cin >> text;
			wide value = 0;
			for(char c : text) value = value << 4 | unsigned(c <= '9' ? c - '0' : c - 'a' + 10);
			source.write(T(value));
		}
		ap_uint<32> chk;
		checksum<BEATS, LANES>(source, sink, chk, ap_uint<1>(0));
		for(unsigned beat = 0; beat < BEATS; beat++) sink.read();
		if(!source.empty() || !sink.empty()) return 1;
		std::printf("%08x\n", unsigned(wide(chk)));
	}
}
