mod expression;
mod rows;
