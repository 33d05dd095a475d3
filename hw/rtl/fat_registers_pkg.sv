// Register maps of saboteur, voter and checksum hook.
// Made by python -m fat_fpga.board.registers; a test fails where the two differ.

`resetall
`timescale 1ns / 1ps
`default_nettype none

/* verilator lint_off UNUSEDPARAM */
package fat_registers_pkg;

localparam logic [31:0] SABOTEUR_IDENTITY = 32'h46415453;
localparam logic [31:0] SABOTEUR_MAP = 32'h00000002;
// ro: 0x46415453, 'FATS'
localparam int SABOTEUR_ID = 'h00;
// ro: version of this map
localparam int SABOTEUR_VERSION = 'h04;
// ro: channels a beat
localparam int SABOTEUR_LANES = 'h08;
// ro: beats a pixel
localparam int SABOTEUR_FOLDS = 'h0c;
// ro: pixels a row
localparam int SABOTEUR_WIDTH = 'h10;
// ro: rows a frame
localparam int SABOTEUR_HEIGHT = 'h14;
// ro: bits a value
localparam int SABOTEUR_BITS = 'h18;
// wo: commands
localparam int SABOTEUR_CONTROL = 'h1c;
localparam int SABOTEUR_CONTROL_ARM_BIT = 0;
localparam int SABOTEUR_CONTROL_CLEAR_BIT = 1;
// ro: ARMING: the armed settings wait for the end of a frame; IN_FRAME: part of a frame has passed; UPSET: the settings that act were not those that were armed, in any cycle since CLEAR; CHANGED: SIGNATURE was not the same for all beats since CLEAR and the last ARM; from MODE on: the mode that acts now
localparam int SABOTEUR_STATUS = 'h20;
localparam int SABOTEUR_STATUS_ARMING_BIT = 0;
localparam int SABOTEUR_STATUS_IN_FRAME_BIT = 1;
localparam int SABOTEUR_STATUS_UPSET_BIT = 2;
localparam int SABOTEUR_STATUS_CHANGED_BIT = 3;
localparam int SABOTEUR_STATUS_MODE_BIT = 8;
// rw: what to hold, as the next ARM takes it
localparam int SABOTEUR_MODE = 'h24;
localparam int SABOTEUR_MODE_ENABLE_BIT = 0;
localparam int SABOTEUR_MODE_MATCH_LANE_BIT = 1;
localparam int SABOTEUR_MODE_MATCH_FOLD_BIT = 2;
localparam int SABOTEUR_MODE_MATCH_ROW_BIT = 3;
localparam int SABOTEUR_MODE_MATCH_COLUMN_BIT = 4;
// rw: place in the beat: channel mod LANES
localparam int SABOTEUR_LANE = 'h28;
// rw: beat of the pixel: channel div LANES
localparam int SABOTEUR_FOLD = 'h2c;
// rw: row of the pixel
localparam int SABOTEUR_ROW = 'h30;
// rw: column of the pixel
localparam int SABOTEUR_COLUMN = 'h34;
// rw: the value held, in the stream's bits
localparam int SABOTEUR_VALUE = 'h38;
// ro: beats in which values were held, since CLEAR; stops at 2^32 - 1
localparam int SABOTEUR_HITS = 'h3c;
// ro: those of them that were not what was held already; stops at 2^32 - 1
localparam int SABOTEUR_CHANGES = 'h40;
// ro: whole frames that passed since CLEAR; stops at 2^32 - 1
localparam int SABOTEUR_FRAMES = 'h44;
// ro: commands since reset, modulo 256: ARM in the low 8 bits, CLEAR from CLEARS on
localparam int SABOTEUR_COMMANDS = 'h48;
localparam int SABOTEUR_COMMANDS_ARMS_BIT = 0;
localparam int SABOTEUR_COMMANDS_CLEARS_BIT = 8;
// ro: 16 bits of the settings that acted in the first beat since CLEAR and the last ARM; nothing before it
localparam int SABOTEUR_SIGNATURE = 'h4c;
// ro: the LANE that acts now
localparam int SABOTEUR_ACTIVE_LANE = 'h50;
// ro: the FOLD that acts now
localparam int SABOTEUR_ACTIVE_FOLD = 'h54;
// ro: the ROW that acts now
localparam int SABOTEUR_ACTIVE_ROW = 'h58;
// ro: the COLUMN that acts now
localparam int SABOTEUR_ACTIVE_COLUMN = 'h5c;
// ro: the VALUE that acts now
localparam int SABOTEUR_ACTIVE_VALUE = 'h60;

localparam logic [31:0] VOTER_IDENTITY = 32'h46415456;
localparam logic [31:0] VOTER_MAP = 32'h00000001;
// ro: 0x46415456, 'FATV'
localparam int VOTER_ID = 'h00;
// ro: version of this map
localparam int VOTER_VERSION = 'h04;
// ro: output channels
localparam int VOTER_CHANNELS = 'h08;
// ro: physical channels in front: CHANNELS and two for each triplet
localparam int VOTER_ROWS = 'h0c;
// ro: physical channels a beat
localparam int VOTER_LANES_IN = 'h10;
// ro: output channels a beat
localparam int VOTER_LANES_OUT = 'h14;
// ro: bits a value
localparam int VOTER_BITS = 'h18;
// wo: commands
localparam int VOTER_CONTROL = 'h1c;
localparam int VOTER_CONTROL_CLEAR_BIT = 0;
// rw: settings
localparam int VOTER_MODE = 'h20;
localparam int VOTER_MODE_CLEAR_ON_READ_BIT = 0;
// ro: triplets, in order of their output channels
localparam int VOTER_TRIPLETS = 'h24;
// ro: bits of each triplet's counter
localparam int VOTER_COUNT_BITS = 'h28;
// ro: CRC-32 of the map of sources that the block was built with
localparam int VOTER_SIGNATURE = 'h2c;
// ro: beats voted on in which any triplet disagreed; stops at 2^32 - 1
localparam int VOTER_DISAGREEMENTS = 'h30;
// ro: an array of words
localparam int VOTER_WINDOW = 'h100;

localparam logic [31:0] CHECKSUM_IDENTITY = 32'h46415443;
localparam logic [31:0] CHECKSUM_MAP = 32'h00000001;
// ro: 0x46415443, 'FATC'
localparam int CHECKSUM_ID = 'h00;
// ro: version of this map
localparam int CHECKSUM_VERSION = 'h04;
// ro: values a beat
localparam int CHECKSUM_LANES = 'h08;
// ro: beats a frame
localparam int CHECKSUM_BEATS = 'h0c;
// ro: bits a value
localparam int CHECKSUM_BITS = 'h10;
// wo: commands
localparam int CHECKSUM_CONTROL = 'h1c;
localparam int CHECKSUM_CONTROL_CLEAR_BIT = 0;
// ro: of the last whole frame: its checksum in the low 24 bits; in the high 8, FRAMES minus one, modulo 256; 0 before the first frame
localparam int CHECKSUM_CHECKSUM = 'h20;
// ro: whole frames that passed since CLEAR; stops at 2^32 - 1
localparam int CHECKSUM_FRAMES = 'h24;
// ro: over the checksums of all frames since CLEAR: rotated left by one bit, plus the next, modulo 2^32
localparam int CHECKSUM_DIGEST = 'h28;
// ro: IN_FRAME: part of a frame has passed, or a whole one whose checksum is not in the registers yet
localparam int CHECKSUM_STATUS = 'h2c;
localparam int CHECKSUM_STATUS_IN_FRAME_BIT = 0;

// SIGNATURE: how far each setting is rotated to the left, and what is there without any
localparam int SIGNATURE_MODE = 0;
localparam int SIGNATURE_LANE = 3;
localparam int SIGNATURE_FOLD = 6;
localparam int SIGNATURE_ROW = 9;
localparam int SIGNATURE_COLUMN = 12;
localparam int SIGNATURE_VALUE = 15;
localparam logic [15:0] SIGNATURE_SEED = 16'hfa75;

localparam int COPIES_SHIFT = 29;
localparam int SUM_BITS = 24;

endpackage

`resetall
